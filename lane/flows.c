#include "flows.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_BUCKETS = 1024 };

static uint64_t
mixed(uint64_t value, uint64_t secret)
{
    value = (value ^ secret) * 0x9E3779B97F4A7C15u;
    value = (value ^ value >> 32) * 0xD6E8FEB86659FD93u;
    return value ^ value >> 29;
}

static uint64_t
hash_end(uint64_t secret, const uint8_t *address, size_t size, const uint8_t *port)
{
    uint64_t hash = secret, word;
    for (; size > sizeof word; address += sizeof word, size -= sizeof word) {
        memcpy(&word, address, sizeof word);
        hash = mixed(word, hash);
    }
    word = 0;
    memcpy(&word, address, size);
    hash = mixed(word, hash);
    return mixed((uint64_t)port[0] << 8 | port[1], hash);
}

/* The same for both directions. The secret keeps captures from choosing the bucket. */
static uint64_t
hash_key(uint64_t secret, span key)
{
    size_t size = (key.size - 4) / 2;
    return hash_end(secret, key.data, size, key.data + 2 * size)
         + hash_end(secret, key.data + size, size, key.data + 2 * size + 2);
}

static int
is_reverse(const flow *one, span key)
{
    size_t size = (key.size - 4) / 2;
    const uint8_t *ports = key.data + 2 * size, *own = one->key + 2 * size;
    return !memcmp(one->key, key.data + size, size) && !memcmp(one->key + size, key.data, size)
        && !memcmp(own, ports + 2, 2) && !memcmp(own + 2, ports, 2);
}

int
flows_is_loop(const flow *one)
{
    span key = {one->key, one->size};
    return is_reverse(one, key);
}

static void
link_newest(struct list *list, flow *one)
{
    one->newer = NULL;
    one->older = list->newest;
    *(list->newest ? &list->newest->newer : &list->oldest) = one;
    list->newest = one;
    list->count++;
}

static void
unlink_flow(struct list *list, flow *one)
{
    *(one->older ? &one->older->newer : &list->oldest) = one->newer;
    *(one->newer ? &one->newer->older : &list->newest) = one->older;
    list->count--;
}

/* Young connections and Python's are one list: the caps count them together. */
static struct list *
list_of(flows *table, kind kind)
{
    return &table->lists[kind == YOUNG ? OBJECTS : kind];
}

static void
let_go(flow *one)
{
    young *state = one->state;
    one->state = NULL;
    if (state) {
        Py_XDECREF(state->first.interface);
        Py_XDECREF(state->answered.interface);
        Py_XDECREF(state->ending.interface);
        Py_XDECREF(state->last.interface);
        Py_XDECREF(state->pieces);
        Py_XDECREF(state->message);
        free(state);
    }
    bulk_free(one->bulk);
    one->bulk = NULL;
    for (int each = 0; each < 2; each++) {
        PyObject *endpoint = one->endpoints[each];
        one->endpoints[each] = NULL;
        Py_XDECREF(endpoint);
    }
}

int
flows_begin(flows *table, uint64_t secret)
{
    memset(table, 0, sizeof *table);
    table->secret = secret;
    table->size = FIRST_BUCKETS;
    table->buckets = calloc(table->size, sizeof *table->buckets);
    return table->buckets ? 0 : -1;
}

void
flows_end(flows *table)
{
    for (int each = 0; each < KINDS; each++)
        flows_remove_oldest(table, (kind)each, table->lists[each].count);
    free(table->buckets);
    table->buckets = NULL;
}

flow *
flows_find(const flows *table, span key, int *sender)
{
    uint64_t hash;
    if (key.size != 12 && key.size != KEY_SIZE)
        return NULL;
    hash = hash_key(table->secret, key);
    for (flow *one = table->buckets[hash & (table->size - 1)]; one; one = one->chain) {
        if (one->hash != hash || one->size != key.size)
            continue;
        if (is_reverse(one, key)) { /* first: where both ends are the same, the table of Python finds the server */
            *sender = 1;
            return one;
        }
        if (!memcmp(one->key, key.data, key.size)) {
            *sender = 0;
            return one;
        }
    }
    return NULL;
}

static void
grow(flows *table)
{
    size_t size = table->size * 2;
    flow **buckets = calloc(size, sizeof *buckets);
    if (!buckets)
        return; /* chains get longer, and that is all */
    for (size_t at = 0; at < table->size; at++)
        for (flow *one = table->buckets[at], *next; one; one = next) {
            next = one->chain;
            one->chain = buckets[one->hash & (size - 1)];
            buckets[one->hash & (size - 1)] = one;
        }
    free(table->buckets);
    table->buckets = buckets;
    table->size = size;
}

flow *
flows_add(flows *table, span key, kind kind)
{
    flow *one;
    if (key.size != 12 && key.size != KEY_SIZE)
        return NULL;
    if (table->count >= table->size)
        grow(table);
    one = calloc(1, sizeof *one);
    if (!one)
        return NULL;
    if (kind == YOUNG) {
        one->state = calloc(1, sizeof *one->state);
        if (!one->state) {
            free(one);
            return NULL;
        }
        one->state->closed_by = UNKNOWN;
        for (int each = 0; each < 2; each++)
            one->state->sides[each].next_seq = one->state->sides[each].heard = UNKNOWN;
    }
    one->kind = kind;
    one->size = (uint8_t)key.size;
    memcpy(one->key, key.data, key.size);
    one->base_seq[0] = one->base_seq[1] = UNKNOWN;
    one->hash = hash_key(table->secret, key);
    one->chain = table->buckets[one->hash & (table->size - 1)];
    table->buckets[one->hash & (table->size - 1)] = one;
    table->count++;
    link_newest(list_of(table, kind), one);
    return one;
}

void
flows_turn(flows *table, flow *one, kind kind)
{
    struct list *from = list_of(table, one->kind), *to = list_of(table, kind);
    one->kind = kind;
    if (from != to) {
        unlink_flow(from, one);
        link_newest(to, one);
    }
    let_go(one);
}

void
flows_remove(flows *table, flow *one)
{
    flow **at = &table->buckets[one->hash & (table->size - 1)];
    while (*at != one)
        at = &(*at)->chain;
    *at = one->chain;
    table->count--;
    unlink_flow(list_of(table, one->kind), one);
    let_go(one);
    free(one);
}

void
flows_remove_oldest(flows *table, kind kind, long long count)
{
    struct list *list = list_of(table, kind);
    while (count-- > 0 && list->oldest)
        flows_remove(table, list->oldest);
}
