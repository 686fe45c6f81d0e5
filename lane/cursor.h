/* Every read of captured bytes goes through here, and none leaves the span it is given. */

#ifndef LANE_CURSOR_H
#define LANE_CURSOR_H

#include <stdint.h>
#include <stddef.h>

/* A stretch of captured bytes. */
typedef struct {
    const uint8_t *data;
    size_t size;
} span;

static inline int
holds(span bytes, size_t at, size_t count)
{
    return at <= bytes.size && count <= bytes.size - at;
}

/* Part of a span; empty where it would leave it. */
static inline span
part(span bytes, size_t at, size_t count)
{
    span found = {bytes.data, 0};
    if (holds(bytes, at, count)) {
        found.data = bytes.data + at;
        found.size = count;
    }
    return found;
}

/* Numbers; 0 where the span does not hold them. */
static inline unsigned
byte_at(span bytes, size_t at)
{
    return holds(bytes, at, 1) ? bytes.data[at] : 0;
}

static inline unsigned
big16(span bytes, size_t at)
{
    return holds(bytes, at, 2) ? (unsigned)bytes.data[at] << 8 | bytes.data[at + 1] : 0;
}

static inline uint32_t
big32(span bytes, size_t at)
{
    return holds(bytes, at, 4) ? (uint32_t)big16(bytes, at) << 16 | big16(bytes, at + 2) : 0;
}

static inline uint32_t
little32(span bytes, size_t at)
{
    uint32_t big = big32(bytes, at);
    return big >> 24 | (big >> 8 & 0xFF00) | (big << 8 & 0xFF0000) | big << 24;
}

#endif
