/* Stems of the words that speak of secrets, as amtdecode/masking/text.py gives them. */

#include "texts.h"

#include <string.h>

enum { MOST_STEMS = 255, LONGEST = 24, LONG = 28, LETTERS = 32, GROUPS = 7, STOP = 0x80 };

static struct {
    uint8_t letters[LONGEST];
    size_t size;
    uint8_t next; /* that begins with the same two characters; 0: none */
} stems[MOST_STEMS + 1];
static size_t count;
static uint8_t begins[128][128]; /* the first stem that begins with these two characters; 0: none */
static uint8_t small[256];       /* characters in lower case; STOP for what tells by itself */

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

/* Whether one of the stems from `which` on stands there; of all of them the first two characters do. */
static int
stem_at(span text, size_t at, size_t which)
{
    for (; which; which = stems[which].next) {
        size_t size = stems[which].size, same = 2;
        if (!holds(text, at, size))
            continue;
        while (same < size && small[text.data[at + same]] == stems[which].letters[same])
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
        unsigned byte = small[text.data[at]];
        if (byte == STOP || (begins[before][byte] && stem_at(text, at - 1, begins[before][byte])))
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

static int
is_alphanumeric(unsigned byte)
{
    return lower(byte) - 'a' < 26 || byte - '0' < 10;
}

int
looks_plain(span text)
{
    size_t letters = 0, groups = 0;
    if (text.size < LONG)
        return 1;
    for (size_t at = 0; at < text.size; at++) {
        unsigned byte = text.data[at];
        if (is_alphanumeric(byte))
            letters++;
        else {
            letters = byte == '+' || byte == '/' ? letters + 1 : 0;
            groups = byte == '-' ? groups + 1 : 0;
        }
        if (letters == LETTERS || groups == GROUPS)
            return 0;
        if (at >= 2 && ((byte == 'J' && text.data[at - 1] == 'y' && text.data[at - 2] == 'e') ||
                        (byte == 'A' && text.data[at - 1] == 'S' && text.data[at - 2] == 'R')))
            return 0; /* so a JSON web token begins, and a line of a key log */
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
    for (unsigned byte = 0; byte < sizeof small; byte++)
        small[byte] = (uint8_t)(byte >= STOP || byte == '@' || byte == '%' ? STOP : lower(byte));
    for (Py_ssize_t at = 0; at < size; at++) {
        span stem;
        uint8_t *first;
        if (!text_bytes(PyTuple_GetItem(given, at), &stem))
            return NULL;
        if (stem.size < 2 || stem.size > LONGEST || !stem.data[0] || stem.data[0] >= 0x80 || stem.data[1] >= 0x80) {
            PyErr_SetString(PyExc_ValueError, "stems: of 2 to 24 letters");
            return NULL;
        }
        first = &begins[stem.data[0]][stem.data[1]];
        memcpy(stems[++count].letters, stem.data, stem.size);
        stems[count].size = stem.size;
        stems[count].next = *first;
        *first = (uint8_t)count;
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
