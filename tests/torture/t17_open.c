/*
 * t17: nothing to record into.
 * Stands for: agents that take the program down, or fail silently, when their output cannot be
 * written. The driver gives it directories that do not exist, are read-only, or full.
 */
#include "torture.h"

int main(void)
{
	churn(100);
	puts("fine");
	return 3;
}
