# Run at build time: libsnap.a, one object of everything that a static program needs, in which only the functions of
# snap.h have names that others can see; zstd's, for instance, have not.
# OBJECTS, ARCHIVES: lists; OUTPUT: libsnap.a; LD, OBJCOPY, AR: programs; API: headers that declare the functions.
set(keep)
foreach(header ${API})
	file(STRINGS ${header} declarations REGEX "^[a-z][a-z_ *]*snap_[a-z_]+\\(.*")
	foreach(declaration ${declarations})
		string(REGEX MATCH "snap_[a-z_]+\\(" name "${declaration}")
		string(REPLACE "(" "" name "${name}")
		list(APPEND keep --keep-global-symbol=${name})
	endforeach()
endforeach()

function(run)
	execute_process(COMMAND ${ARGV} COMMAND_ERROR_IS_FATAL ANY)
endfunction()

run(${LD} -r -o ${OUTPUT}.o ${OBJECTS} --start-group ${ARCHIVES} --end-group)
run(${OBJCOPY} ${keep} ${OUTPUT}.o)
file(REMOVE ${OUTPUT})
run(${AR} rcs ${OUTPUT} ${OUTPUT}.o)
file(REMOVE ${OUTPUT}.o)
