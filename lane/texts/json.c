/* The fields of an event as JSON: what `masked_fields` gives, as msgspec writes it. Values of other kinds than texts, whole
   numbers, truths, lists of these and values by path are left to that: `None`. */

#include "output.h"

#include <string.h>

enum { MOST_HARMLESS = 1024, LONGEST_HARMLESS = 160 }; /* texts; bytes of one */

static struct {
    PyObject *secrets, *safe_lines, *written;
} called; /* attributes of values by path */

int
json_begin(void)
{
    called.secrets = PyUnicode_InternFromString("secrets");
    called.safe_lines = PyUnicode_InternFromString("safe_lines");
    called.written = PyUnicode_InternFromString("written");
    return called.secrets && called.safe_lines && called.written;
}

static int
is_escaped(unsigned byte)
{
    return byte < ' ' || byte == '"' || byte == '\\';
}

/* How many of the bytes from `at` on stand in a JSON string as they are; eight are looked at together. */
static size_t
plain_run(span text, size_t at)
{
    static const uint64_t ones = UINT64_C(0x0101010101010101), highs = UINT64_C(0x8080808080808080);
    size_t end = at;
    for (uint64_t eight; holds(text, end, sizeof eight); end += sizeof eight) {
        uint64_t quotes, backslashes;
        memcpy(&eight, text.data + end, sizeof eight);
        quotes = eight ^ ones * '"';
        backslashes = eight ^ ones * '\\';
        if ((((eight - ones * ' ') & ~eight) | ((quotes - ones) & ~quotes) | ((backslashes - ones) & ~backslashes)) & highs)
            break;
    }
    while (end < text.size && !is_escaped(text.data[end]))
        end++;
    return end - at;
}

/* Characters as they stand in a JSON string, whose longest escape has 6 bytes. */
static int
put_escaped(output *to, span text)
{
    static const char digits[] = "0123456789abcdef", names[] = "\bb\tt\nn\ff\rr\"\"\\\\";
    char *at;
    if (room_for(to, 6 * text.size) != DONE)
        return FAILED;
    at = to->data + to->size;
    for (size_t read = 0; read < text.size;) {
        size_t run = plain_run(text, read), name = 0;
        unsigned byte;
        memcpy(at, text.data + read, run);
        at += run;
        read += run;
        if (read == text.size)
            break;
        byte = text.data[read++];
        while (names[name] && (unsigned)names[name] != byte)
            name += 2;
        *at++ = '\\';
        if (names[name]) {
            *at++ = names[name + 1];
            continue;
        }
        memcpy(at, "u00", 3);
        at[3] = digits[byte >> 4];
        at[4] = digits[byte & 15];
        at += 5;
    }
    to->size = (size_t)(at - to->data);
    return DONE;
}

static int
put_text(output *to, PyObject *text)
{
    span bytes;
    if (!text_bytes(text, &bytes))
        return FAILED;
    return put(to, "\"", 1) == DONE && put_escaped(to, bytes) == DONE && put(to, "\"", 1) == DONE ? DONE : FAILED;
}

/* Hashes of short texts that `masked` shows as they are, each in the one place that it tells: most are said again. */
static Py_hash_t harmless[MOST_HARMLESS];

/* Text that somebody wrote as they liked. */
static int
put_free(output *to, PyObject *text, PyObject *masked)
{
    Py_hash_t hash = PyObject_Hash(text), *kept = &harmless[(size_t)hash % MOST_HARMLESS];
    PyObject *shown;
    span bytes;
    int unchanged, done;
    if (*kept == hash)
        return put_text(to, text);
    if (!text_bytes(text, &bytes))
        return FAILED;
    if (!has_stem(bytes) && looks_plain(bytes)) {
        if (bytes.size <= LONGEST_HARMLESS)
            *kept = hash;
        return put_text(to, text);
    }
    shown = PyObject_CallFunctionObjArgs(masked, text, NULL);
    if (!shown)
        return FAILED;
    unchanged = PyUnicode_Check(shown) ? PyObject_RichCompareBool(shown, text, Py_EQ) : -1;
    if (unchanged > 0 && bytes.size <= LONGEST_HARMLESS)
        *kept = hash;
    done = unchanged < 0 ? FAILED : put_text(to, shown);
    Py_DECREF(shown);
    return done;
}

static int
put_one(output *to, PyObject *value, int is_free, PyObject *masked)
{
    if (PyUnicode_CheckExact(value))
        return is_free ? put_free(to, value, masked) : put_text(to, value);
    if (is_free)
        return UNUSUAL;
    if (value == Py_True)
        return put(to, "true", 4);
    if (value == Py_False)
        return put(to, "false", 5);
    if (PyLong_CheckExact(value)) {
        char digits[32];
        int over;
        long long number = PyLong_AsLongLongAndOverflow(value, &over);
        if (over || (number == -1 && PyErr_Occurred()))
            return over ? UNUSUAL : FAILED;
        return put(to, digits, (size_t)PyOS_snprintf(digits, sizeof digits, "%lld", number));
    }
    return UNUSUAL;
}

static int
put_list(output *to, PyObject *list, int is_free, PyObject *masked)
{
    Py_ssize_t count = PyList_Size(list);
    int done = put(to, "[", 1);
    for (Py_ssize_t at = 0; done == DONE && at < count; at++) {
        if (at)
            done = put(to, ",", 1);
        if (done == DONE)
            done = put_one(to, PyList_GetItem(list, at), is_free, masked);
    }
    return done == DONE ? put(to, "]", 1) : done;
}

/* Masks in place of a secret. */
static int
put_masks(output *to, PyObject *value)
{
    static const char mask[] = "\"********\"";
    Py_ssize_t count = PyList_Check(value) ? PyList_Size(value) : -1;
    int done = DONE;
    if (count < 0)
        return put(to, mask, sizeof mask - 1);
    done = put(to, "[", 1);
    for (Py_ssize_t at = 0; done == DONE && at < count; at++) {
        if (at)
            done = put(to, ",", 1);
        if (done == DONE)
            done = put(to, mask, sizeof mask - 1);
    }
    return done == DONE ? put(to, "]", 1) : done;
}

/* A pair of texts; 0 where it is none. */
static int
pair_of(PyObject *values, Py_ssize_t at, PyObject **path, PyObject **text)
{
    PyObject *pair = PyTuple_GetItem(values, at);
    if (!pair || !PyTuple_Check(pair) || PyTuple_Size(pair) != 2)
        return 0;
    *path = PyTuple_GetItem(pair, 0);
    *text = PyTuple_GetItem(pair, 1);
    return *path && *text && PyUnicode_CheckExact(*path) && PyUnicode_CheckExact(*text);
}

/* Values by path, of amtdecode/protocols/soap/values.py, as `path=text` without the secrets; UNUSUAL with `*covered` set
   where a text may hold a secret. */
static int
put_values(output *to, PyObject *values, PyObject *secrets, int *covered)
{
    Py_ssize_t count = PyTuple_Size(values), hidden = PySequence_Size(secrets), next = 0, skip = -1;
    int done = put(to, "[", 1), more = 0;
    if (hidden < 0)
        return FAILED;
    for (Py_ssize_t at = 0; done == DONE && at < count; at++) {
        PyObject *path, *text;
        span name, bytes;
        if (!pair_of(values, at, &path, &text))
            return UNUSUAL;
        if (!text_bytes(path, &name) || !text_bytes(text, &bytes))
            return FAILED;
        if (!is_harmless(bytes)) {
            *covered = 1;
            return UNUSUAL;
        }
        if (skip < at && next < hidden) {
            PyObject *position = PySequence_GetItem(secrets, next++);
            skip = position ? PyLong_AsSsize_t(position) : -1;
            Py_XDECREF(position);
            if (PyErr_Occurred())
                return FAILED;
        }
        if (skip == at)
            continue;
        if (put(to, more ? ",\"" : "\"", more ? 2 : 1) != DONE || put_escaped(to, name) != DONE ||
            put(to, "=", 1) != DONE || put_escaped(to, bytes) != DONE)
            return FAILED;
        done = put(to, "\"", 1);
        more = 1;
    }
    return done == DONE ? put(to, "]", 1) : done;
}

static int
put_key(output *to, PyObject *name, int first)
{
    span bytes;
    if (!PyUnicode_Check(name))
        return UNUSUAL;
    if (!text_bytes(name, &bytes))
        return FAILED;
    if (put(to, first ? "{\"" : ",\"", 2) != DONE || put_escaped(to, bytes) != DONE)
        return FAILED;
    return put(to, "\":", 2);
}

/* Values by path, written anew. */
static int
put_unwritten(output *to, PyObject *values, PyObject *masked)
{
    PyObject *secrets = PyObject_GetAttr(values, called.secrets), *lines;
    size_t start = to->size;
    int covered = 0, done;
    if (!secrets)
        return FAILED;
    done = put_values(to, values, secrets, &covered);
    Py_DECREF(secrets);
    if (done != UNUSUAL || !covered)
        return done;
    to->size = start;
    lines = PyObject_GetAttr(values, called.safe_lines);
    if (!lines)
        return FAILED;
    done = PyList_Check(lines) ? put_list(to, lines, 0, masked) : UNUSUAL;
    Py_DECREF(lines);
    return done;
}

/* A field of values by path: a message and its call have the same, which are written once. */
static int
put_texts(output *to, PyObject *values, PyObject *masked)
{
    PyObject *written = PyObject_GetAttr(values, called.written);
    size_t start = to->size;
    int done = FAILED;
    if (!written)
        return FAILED;
    if (PyBytes_Check(written)) {
        char *bytes;
        Py_ssize_t size;
        if (!PyBytes_AsStringAndSize(written, &bytes, &size))
            done = put(to, bytes, (size_t)size);
        Py_DECREF(written);
        return done;
    }
    Py_DECREF(written);
    done = put_unwritten(to, values, masked);
    if (done != DONE)
        return done;
    written = PyBytes_FromStringAndSize(to->data + start, (Py_ssize_t)(to->size - start));
    done = written && !PyObject_SetAttr(values, called.written, written) ? DONE : FAILED;
    Py_XDECREF(written);
    return done;
}

static int
write_fields(output *to, PyObject *fields, PyObject *marks, PyObject *masked)
{
    PyObject *name, *value;
    Py_ssize_t at = 0;
    int first = 1;
    while (PyDict_Next(fields, &at, &name, &value)) {
        PyObject *mark = PyDict_GetItemWithError(marks, name);
        size_t start = to->size;
        int done;
        if (!mark && PyErr_Occurred())
            return FAILED;
        Py_INCREF(value); /* what is called may change the dict */
        done = put_key(to, name, first);
        if (done != DONE)
            ;
        else if (mark == Py_True)
            done = put_masks(to, value);
        else if (PyList_Check(value))
            done = put_list(to, value, mark != NULL, masked);
        else if (PyTuple_Check(value) && !PyTuple_CheckExact(value)) {
            size_t empty = to->size + 2;
            done = put_texts(to, value, masked);
            if (done == DONE && to->size == empty) {
                Py_DECREF(value);
                to->size = start;
                continue;
            }
        } else
            done = put_one(to, value, mark != NULL && PyUnicode_CheckExact(value), masked);
        Py_DECREF(value);
        if (done != DONE)
            return done;
        first = 0;
    }
    return put(to, first ? "{}" : "}", first ? 2 : 1);
}

PyObject *
texts_fields_json(PyObject *module, PyObject *arguments)
{
    PyObject *fields, *marks, *masked, *made = NULL;
    output to = {NULL, 0, 0};
    int done;
    (void)module;
    if (!PyArg_ParseTuple(arguments, "O!O!O", &PyDict_Type, &fields, &PyDict_Type, &marks, &masked))
        return NULL;
    done = write_fields(&to, fields, marks, masked);
    if (done == DONE)
        made = PyBytes_FromStringAndSize(to.data, (Py_ssize_t)to.size);
    else if (done == UNUSUAL) {
        Py_INCREF(Py_None);
        made = Py_None;
    }
    PyMem_Free(to.data);
    return made;
}
