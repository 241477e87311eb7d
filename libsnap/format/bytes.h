/*
 * format/bytes.h - little-endian integers at any address.
 *
 * Compilers turn each of these into one load or store where the processor allows it.
 */
#ifndef SNAP_FORMAT_BYTES_H
#define SNAP_FORMAT_BYTES_H

#include <stdint.h>

static inline uint16_t snap__load16(const uint8_t *at)
{
	return (uint16_t)(at[0] | at[1] << 8);
}

static inline uint32_t snap__load32(const uint8_t *at)
{
	return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 |
	       (uint32_t)at[3] << 24;
}

static inline uint64_t snap__load64(const uint8_t *at)
{
	return (uint64_t)snap__load32(at) | (uint64_t)snap__load32(at + 4) << 32;
}

static inline void snap__store16(uint8_t *at, uint16_t value)
{
	at[0] = (uint8_t)value;
	at[1] = (uint8_t)(value >> 8);
}

static inline void snap__store32(uint8_t *at, uint32_t value)
{
	snap__store16(at, (uint16_t)value);
	snap__store16(at + 2, (uint16_t)(value >> 16));
}

static inline void snap__store64(uint8_t *at, uint64_t value)
{
	snap__store32(at, (uint32_t)value);
	snap__store32(at + 4, (uint32_t)(value >> 32));
}

#endif
