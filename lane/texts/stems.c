/* Stems of the words that speak of secrets, as amtdecode/masking/text.py gives them. */

#include "texts.h"

#include <string.h>

enum { MOST_STEMS = 256, LONGEST = 24, LONG = 28 };

static struct {
    uint8_t letters[LONGEST];
    size_t size;
} stems[MOST_STEMS];
static size_t count;
static uint8_t begins[128][16]; /* whether a stem begins with these two characters */

static unsigned
lower(unsigned byte)
{
    return byte - 'A' < 26 ? byte | 32 : byte;
}

int
text_bytes(PyObject *text, span *found)
{
    Py_ssize_t size;
    const char *bytes = PyUnicode_AsUTF8AndSize(text, &size);
    if (!bytes)
        return 0;
    found->data = (const uint8_t *)bytes;
    found->size = (size_t)size;
    return 1;
}

static int
stem_at(span text, size_t at)
{
    for (size_t which = 0; which < count; which++) {
        size_t size = stems[which].size, same = 0;
        if (!holds(text, at, size))
            continue;
        while (same < size && lower(text.data[at + same]) == stems[which].letters[same])
            same++;
        if (same == size)
            return 1;
    }
    return 0;
}

int
has_stem(span text)
{
    unsigned before = 0;
    for (size_t at = 0; at < text.size; at++) {
        unsigned byte = lower(text.data[at]);
        if (byte >= 0x80 || byte == '@' || byte == '%')
            return 1;
        if (at && begins[before][byte / 8] >> byte % 8 & 1 && stem_at(text, at - 1))
            return 1;
        before = byte;
    }
    return 0;
}

int
is_harmless(span text)
{
    size_t at = 0;
    while (at < text.size && (lower(text.data[at]) - 'a' < 26 || (unsigned)text.data[at] - '0' < 10 || text.data[at] == '_'))
        at++;
    if (at == text.size) {
        int letters = 1; /* Python calls both 9a and _9a a word, but not 9_a */
        if (text.size && (unsigned)text.data[0] - '0' < 10)
            letters = !memchr(text.data, '_', text.size);
        if (letters)
            return 1;
    }
    return !has_stem(text);
}

int
is_short(span text)
{
    size_t word = 0;
    if (text.size < LONG)
        return 1;
    for (size_t at = 0; at < text.size; at++) {
        word = text.data[at] == ' ' ? 0 : word + 1;
        if (word >= LONG)
            return 0;
    }
    return 1;
}

PyObject *
texts_set_stems(PyObject *module, PyObject *given)
{
    Py_ssize_t size = PyTuple_Check(given) ? PyTuple_Size(given) : -1;
    (void)module;
    if (size < 0 || size > MOST_STEMS) {
        PyErr_SetString(PyExc_ValueError, "stems: a tuple of not too many texts");
        return NULL;
    }
    count = 0;
    memset(begins, 0, sizeof begins);
    for (Py_ssize_t at = 0; at < size; at++) {
        span stem;
        if (!text_bytes(PyTuple_GetItem(given, at), &stem))
            return NULL;
        if (stem.size < 2 || stem.size > LONGEST || stem.data[0] >= 0x80 || stem.data[1] >= 0x80) {
            PyErr_SetString(PyExc_ValueError, "stems: of 2 to 24 letters");
            return NULL;
        }
        memcpy(stems[count].letters, stem.data, stem.size);
        stems[count++].size = stem.size;
        begins[stem.data[0]][stem.data[1] / 8] |= (uint8_t)(1 << stem.data[1] % 8);
    }
    Py_INCREF(Py_None);
    return Py_None;
}

PyObject *
texts_has_stem(PyObject *module, PyObject *text)
{
    span bytes;
    (void)module;
    if (!text_bytes(text, &bytes)) {
        if (!PyErr_ExceptionMatches(PyExc_UnicodeEncodeError))
            return NULL;
        PyErr_Clear(); /* half of a surrogate pair is no ASCII */
        return PyBool_FromLong(1);
    }
    return PyBool_FromLong(has_stem(bytes));
}
