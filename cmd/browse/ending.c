/*
 * ending.c - a signal that ends the program gives the terminal back first.
 *
 * A handler may call neither ncurses nor stdio: what it writes is prepared.
 */
#include "browse/ending.h"

#include <ncurses.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <term.h>
#include <termios.h>
#include <unistd.h>

static const int numbers[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
enum { NUMBERS = sizeof(numbers) / sizeof(*numbers) };

static struct sigaction before[NUMBERS];
static struct termios modes;
static bool has_modes;
static char farewell[256];
static size_t farewell_size;

void browse_ending_remember(void)
{
	has_modes = tcgetattr(STDIN_FILENO, &modes) == 0;
	for (int i = 0; i < NUMBERS; i++)
		sigaction(numbers[i], NULL, &before[i]);
}

static int add_byte(int byte)
{
	if (farewell_size < sizeof(farewell))
		farewell[farewell_size++] = (char)byte;
	return byte;
}

/** The terminal's control sequence for `name`, without the pauses that old terminals need. */
static void add_capability(const char *name)
{
	const char *text = tigetstr(name);

	if (text && text != (const char *)-1)
		tputs(text, 1, add_byte);
}

static void prepare_farewell(void)
{
	const char *mouse = tigetstr("kmous");

	farewell_size = 0;
	if (mouse && mouse != (const char *)-1)
		for (const char *c = "\033[?1006;1000l"; *c; c++)
			add_byte(*c);
	add_capability("sgr0");
	add_capability("cnorm");
	add_capability("rmcup");
	add_capability("rmkx");
	add_byte('\r');
}

static void on_end(int number)
{
	/* The terminal may be gone. */
	if (write(STDOUT_FILENO, farewell, farewell_size) > 0 && has_modes)
		tcsetattr(STDIN_FILENO, TCSANOW, &modes);
	signal(number, SIG_DFL);
	raise(number);
}

void browse_ending_begin(void)
{
	struct sigaction action = {.sa_handler = on_end, .sa_flags = SA_RESTART};

	prepare_farewell();
	sigfillset(&action.sa_mask);
	for (int i = 0; i < NUMBERS; i++)
		if (before[i].sa_handler != SIG_IGN)
			sigaction(numbers[i], &action, NULL);
}

void browse_ending_release(void)
{
	for (int i = 0; i < NUMBERS; i++)
		sigaction(numbers[i], &before[i], NULL);
}
