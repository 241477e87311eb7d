/*
 * input/formats.h - what each format of input files does, by formats.def.
 */
#ifndef INPUT_FORMATS_H
#define INPUT_FORMATS_H

#include "input/input_options.h"
#include "input/stream.h"
#include "model/model.h"

/** Bytes from a file's beginning that are enough to tell every format. */
enum { FORMAT_PEEK = 4096 };

struct format {
	const char *name;
	/** `data` are the first bytes of a file, up to FORMAT_PEEK. */
	bool (*recognises)(const void *data, size_t size);
	/** Fill a new model, whose source is set, from the beginning of `stream`. */
	enum snap_status (*read)(struct model *model, struct stream *stream,
				 const struct input_options *options, struct snap_error *err);
	/** The same for its meta only, as cheap as the format allows; damage may be overlooked. */
	enum snap_status (*read_meta)(struct model *model, struct stream *stream,
				      struct snap_error *err);
};

#define FORMAT(name) extern const struct format format_##name;
#include "input/formats.def"
#undef FORMAT

/** The format of `stream` (already unwrapped), or an error that says what it is instead. */
enum snap_status format_recognise(const struct format **format, struct stream *stream,
				  struct snap_error *err);

#endif
