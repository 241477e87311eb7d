/*
 * signature.c - names of C++ functions that have no linkage name, spelled from DWARF.
 */
#include "symbols/signature.h"

#include <dwarf.h>
#include <stdlib.h>
#include <string.h>

bool signature_is_plain(Dwarf_Die *function)
{
	Dwarf_Attribute attribute;
	bool external = false;

	dwarf_formflag(dwarf_attr_integrate(function, DW_AT_external, &attribute), &external);
	return external;
}

char *signature_of(Dwarf_Die *function)
{
	const char *name = dwarf_diename(function);

	return name ? strdup(name) : NULL;
}
