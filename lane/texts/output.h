/* Bytes that grow as something is written. */

#ifndef LANE_TEXTS_OUTPUT_H
#define LANE_TEXTS_OUTPUT_H

#include "texts.h"

#include <string.h>

typedef struct {
    char *data;
    size_t size, room;
} output;

static inline int
room_for(output *to, size_t more)
{
    if (to->room - to->size < more) {
        size_t room = to->room + to->room / 2 + more + 512;
        char *data = PyMem_Realloc(to->data, room);
        if (!data) {
            PyErr_NoMemory();
            return FAILED;
        }
        to->data = data;
        to->room = room;
    }
    return DONE;
}

static inline int
put(output *to, const void *data, size_t size)
{
    if (room_for(to, size) != DONE)
        return FAILED;
    memcpy(to->data + to->size, data, size);
    to->size += size;
    return DONE;
}

#endif
