/*
 * browse/ending.h - a signal that ends the program gives the terminal back first.
 *
 * ncurses does so for two signals only, and ends with status 1 then, which says "a finding".
 */
#ifndef BROWSE_ENDING_H
#define BROWSE_ENDING_H

/** Before the screen is begun: remember how the terminal is. */
void browse_ending_remember(void);

/** After it: from now on SIGINT, SIGTERM, SIGHUP and SIGQUIT give the terminal back, and end the
 * program as they do by default.  What is ignored stays ignored. */
void browse_ending_begin(void);

/** The screen has ended by itself. */
void browse_ending_release(void);

#endif
