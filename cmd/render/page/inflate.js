/*
 * inflate.js - RFC 1951 and 1952 for browsers that have no DecompressionStream.
 */
"use strict";

const Inflate = (() => {
	const LENGTHS = [3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131,
			 163, 195, 227, 258];
	const LENGTH_BITS = [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0];
	const DISTANCES = [1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537,
			   2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577];
	const ORDER = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

	/** A canonical Huffman code: how many codes of each length, and the symbols in order. */
	function makeCode(lengths) {
		const counts = new Uint16Array(16), offsets = new Uint16Array(16);
		const symbols = new Uint16Array(lengths.length);
		for (const length of lengths)
			counts[length]++;
		counts[0] = 0;
		for (let i = 1; i < 16; i++)
			offsets[i] = offsets[i - 1] + counts[i - 1];
		lengths.forEach((length, symbol) => {
			if (length)
				symbols[offsets[length]++] = symbol;
		});
		return {counts, symbols};
	}

	const fixedLengths = [].concat(Array(144).fill(8), Array(112).fill(9), Array(24).fill(7), Array(8).fill(8));
	const fixed = [makeCode(fixedLengths), makeCode(Array(30).fill(5))];

	/** The bytes of a gzip stream with one member, `size` of them. */
	function gunzip(data, size) {
		const out = new Uint8Array(size);
		let at = 10, bit = 0, end = 0;
		const flags = data[3];
		if (flags & 4)
			at += 2 + (data[at] | data[at + 1] << 8);
		for (const flag of [8, 16])
			if (flags & flag)
				while (data[at++]) /* a name or a comment ends with 0 */
					;
		if (flags & 2)
			at += 2;

		function bits(count) {
			let value = 0;
			for (let i = 0; i < count; i++) {
				value |= (data[at] >> bit & 1) << i;
				if (++bit === 8) {
					bit = 0;
					at++;
				}
			}
			return value;
		}

		function symbol(code) {
			let value = 0, first = 0, index = 0;
			for (let length = 1; length < 16; length++) {
				value |= bits(1);
				const count = code.counts[length];
				if (value - count < first)
					return code.symbols[index + value - first];
				index += count;
				first = first + count << 1;
				value <<= 1;
			}
			throw new Error("the data of this page are damaged");
		}

		function dynamicCodes() {
			const literals = bits(5) + 257, distances = bits(5) + 1, used = bits(4) + 4;
			const lengths = Array(19).fill(0);
			for (let i = 0; i < used; i++)
				lengths[ORDER[i]] = bits(3);
			const code = makeCode(lengths), all = [];
			while (all.length < literals + distances) {
				const s = symbol(code);
				if (s < 16)
					all.push(s);
				else {
					const value = s === 16 ? all[all.length - 1] : 0;
					let repeat = s === 16 ? 3 + bits(2) : s === 17 ? 3 + bits(3) : 11 + bits(7);
					while (repeat--)
						all.push(value);
				}
			}
			return [makeCode(all.slice(0, literals)), makeCode(all.slice(literals))];
		}

		function block([literal, distance]) {
			for (;;) {
				let s = symbol(literal);
				if (s === 256)
					return;
				if (s < 256) {
					out[end++] = s;
					continue;
				}
				s -= 257;
				const length = LENGTHS[s] + bits(LENGTH_BITS[s]);
				const d = symbol(distance);
				const back = DISTANCES[d] + bits(d < 2 ? 0 : (d >> 1) - 1);
				for (let i = 0; i < length; i++, end++)
					out[end] = out[end - back];
			}
		}

		for (let last = 0; !last;) {
			last = bits(1);
			const kind = bits(2);
			if (kind === 0) {
				if (bit)
					at++;
				bit = 0;
				const length = data[at] | data[at + 1] << 8;
				out.set(data.subarray(at + 4, at + 4 + length), end);
				end += length;
				at += 4 + length;
			} else {
				block(kind === 1 ? fixed : dynamicCodes());
			}
		}
		return out;
	}

	return {gunzip};
})();

if (typeof module !== "undefined")
	module.exports = Inflate;
