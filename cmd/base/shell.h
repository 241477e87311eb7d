/*
 * base/shell.h - names in commands that people copy into a shell.
 */
#ifndef BASE_SHELL_H
#define BASE_SHELL_H

/**
 * `text` as one word of a shell, in quotes where it needs them; malloc'ed, NULL without memory.
 * Control characters are written as bash, zsh and ksh read them ($'\011').
 */
char *shell_word(const char *text);

#endif
