/* Of Python's connections, bytes that nobody reads: skipped ones, and records that a dissector would only count. */

#include "lane.h"

#include <stdlib.h>

void
bulk_free(bulk *one)
{
    if (!one)
        return;
    Py_XDECREF(one->header);
    Py_XDECREF(one->counted.stamp.interface);
    Py_XDECREF(one->last.interface);
    free(one);
}

int
bulk_begin(Lane *lane, flow *one)
{
    bulk *made = calloc(1, sizeof *made);
    PyObject *known;
    bulk_side *side;
    int failed;
    if (!made) {
        PyErr_NoMemory();
        return -1;
    }
    side = made->sides;
    known = call(lane, lane->borrow, Py_BuildValue("(OO)", one->endpoints[0], one->endpoints[1]));
    failed = !known
          || !PyArg_ParseTuple(known, "(pLLL)(pLLL)iS", &side[0].regular, &side[0].next_seq, &side[0].offset,
                               &side[0].skip, &side[1].regular, &side[1].next_seq, &side[1].offset, &side[1].skip,
                               &made->counts, &made->header);
    if (failed)
        made->header = NULL;
    else
        Py_INCREF(made->header);
    Py_XDECREF(known);
    if (failed) {
        bulk_free(made);
        return -1;
    }
    side[0].heard = side[1].heard = UNKNOWN;
    one->bulk = made;
    return 0;
}

/* The parts of a packed `RecordHeader`, in front of its classes. */
enum { SIZE, LENGTH_AT, CLASSES, LONGEST, SILENT = LONGEST + 4, BEGINS = SILENT + 4 };

/* Length of the record whose header begins at `at`, header included; 0 where it is not whole, or is none to be counted. */
static long long
record(const bulk *state, span data, size_t at, long long *body)
{
    span header = bytes_of(state->header);
    size_t size = byte_at(header, SIZE), classes = byte_at(header, CLASSES);
    if (!size || !holds(data, at, size))
        return 0;
    for (size_t place = 0; place < classes; place++)
        if (!in_class(header, BEGINS + place * CLASS_SIZE, byte_at(data, at + place)))
            return 0;
    *body = big16(data, at + byte_at(header, LENGTH_AT));
    return *body > (long long)big32(header, LONGEST) ? 0 : (long long)size + *body;
}

/* Count the records whose headers are in a segment. Nothing is changed where one is not whole or not to be counted. */
static verdict
counts(bulk *state, bulk_side *own, const packet *from, span data)
{
    counted found = state->counted;
    long long silent = big32(bytes_of(state->header), SILENT), at = own->skip, body, length;
    while (at < (long long)data.size) {
        length = record(state, data, (size_t)at, &body);
        if (!length)
            return HANDED;
        found.records++;
        found.size += body;
        found.spoken += body > silent ? body : 0;
        found.last = own->offset + at;
        at += length;
    }
    found.behind = own->offset + at;
    found.end = own->offset + (long long)data.size;
    state->counted = found;
    stamp_set(&state->counted.stamp, stamp_of_packet(from));
    own->skip = at;
    return PASSED;
}

static verdict
brings(const Lane *lane, bulk *state, int sender, const packet *from, const headers *segment)
{
    bulk_side *own = &state->sides[sender];
    long long size = segment->size;
    if (own->next_seq != segment->seq)
        return HANDED;
    if (own->skip < size) {
        if (state->counts != sender || own->offset + size < lane->checked
            || counts(state, own, from, payload(segment)) != PASSED)
            return HANDED;
    }
    own->skip -= size;
    own->next_seq = (own->next_seq + size) & 0xFFFFFFFF;
    own->offset += size;
    stamp_set(&state->last, stamp_of_packet(from));
    return PASSED;
}

verdict
bulk_goes_on(const Lane *lane, bulk *state, int sender, const packet *from, const headers *segment)
{
    if (!state->sides[sender].regular)
        return HANDED;
    if (segment->size)
        return brings(lane, state, sender, from, segment);
    if (!state->sides[1 - sender].skip)
        state->sides[sender].heard = segment->ack;
    return PASSED;
}

int
bulk_end(Lane *lane, flow *one)
{
    bulk *state = one->bulk;
    const bulk_side *side;
    const counted *found;
    PyObject *done;
    if (!state)
        return 0;
    one->bulk = NULL;
    side = state->sides;
    found = &state->counted;
    done = call(lane, lane->give_back,
                Py_BuildValue("(OO(LLLL)(LLLL)Ni(LLLLLLN))", one->endpoints[0], one->endpoints[1], side[0].next_seq,
                              side[0].offset, side[0].skip, side[0].heard, side[1].next_seq, side[1].offset,
                              side[1].skip, side[1].heard, stamp_object(state->last), state->counts, found->records,
                              found->size, found->spoken, found->last, found->behind, found->end,
                              stamp_object(found->stamp)));
    bulk_free(state);
    Py_XDECREF(done);
    return done ? 0 : -1;
}
