# embed_sql(DIR HEADER): every DIR/*.sql becomes a string literal `sql_<name>` in HEADER, so that SQL is
# edited as SQL and shipped inside the program.
function(embed_sql dir header)
	file(GLOB files CONFIGURE_DEPENDS ${dir}/*.sql)
	add_custom_command(OUTPUT ${header}
		COMMAND ${CMAKE_COMMAND} -DDIR=${dir} -DHEADER=${header} -P ${PROJECT_SOURCE_DIR}/cmake/embed_script.cmake
		DEPENDS ${files} ${PROJECT_SOURCE_DIR}/cmake/embed_script.cmake
		COMMENT "Embedding SQL")
	add_custom_target(sql_embedded DEPENDS ${header})
endfunction()

# embed_files(TARGET PREFIX HEADER NAME=PATH...): each file becomes a byte array PREFIX_NAME in HEADER.
function(embed_files target prefix header)
	set(paths "")
	foreach(entry ${ARGN})
		string(REGEX REPLACE "^[^=]*=" "" path "${entry}")
		list(APPEND paths "${path}")
	endforeach()
	string(REPLACE ";" "|" entries "${ARGN}")
	add_custom_command(OUTPUT ${header}
		COMMAND ${CMAKE_COMMAND} "-DFILES=${entries}" -DPREFIX=${prefix} "-DHEADER=${header}"
			-P ${PROJECT_SOURCE_DIR}/cmake/embed_files_script.cmake
		DEPENDS ${paths} ${PROJECT_SOURCE_DIR}/cmake/embed_files_script.cmake
		COMMENT "Embedding ${prefix}" VERBATIM)
	add_custom_target(${target} DEPENDS ${header})
endfunction()
