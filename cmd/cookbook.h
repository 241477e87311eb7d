/*
 * cookbook.h - questions with their SQL, and what the answer means.
 */
#ifndef COOKBOOK_H
#define COOKBOOK_H

#include <stdbool.h>
#include <stdio.h>

/** All questions, numbered from 1; with `number` that one's question, SQL and meaning.  False:
 * there is no such number. */
bool cookbook_print(FILE *out, unsigned long number);

/** Everything: the file as it is. */
void cookbook_print_all(FILE *out);

#endif
