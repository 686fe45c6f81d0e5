/* Columns in Arrow's layout (arrow.apache.org/docs/format/Columnar.html) of fields as JSON, as amtdecode/tables/typed.py
   makes them with pyarrow. The JSON is our own: what our writers do not write, or does not fit its column, is `None`. */

#include "output.h"

#include <limits.h>
#include <string.h>

typedef struct {
    span name;
    int kind;        /* t text, b truth, u and i numbers, x bytes as hex digits, g UUID */
    int is_repeated; /* of a list of them */
    size_t width;    /* bytes of a value; 0 where its end is kept, and of truths */
    size_t rows, set, count; /* rows reached, those of them that are not null, values */
    output valid, lists, ends, values;
} column;

static int
put_zeros(output *to, size_t size)
{
    if (room_for(to, size) != DONE)
        return FAILED;
    memset(to->data + to->size, 0, size);
    to->size += size;
    return DONE;
}

/* Where something ends, for each of some rows. */
static int
put_ends(output *to, size_t end, size_t rows)
{
    int32_t known = (int32_t)end;
    if (end > INT32_MAX)
        return UNUSUAL;
    if (room_for(to, rows * sizeof known) != DONE)
        return FAILED;
    for (; rows; rows--, to->size += sizeof known)
        memcpy(to->data + to->size, &known, sizeof known);
    return DONE;
}

static int
set_bit(output *bits, size_t at)
{
    if (bits->size <= at / 8 && put_zeros(bits, at / 8 + 1 - bits->size) != DONE)
        return FAILED;
    bits->data[at / 8] |= (char)(1 << at % 8);
    return DONE;
}

/* The inside of a string, as it is written, and whether a backslash is in it. */
static int
quoted(span json, size_t *at, span *inside, int *is_escaped)
{
    size_t start = *at + 1, end = start;
    if (byte_at(json, *at) != '"')
        return UNUSUAL;
    *is_escaped = 0;
    while (end < json.size) {
        span left = part(json, end, json.size - end);
        const uint8_t *quote = memchr(left.data, '"', left.size), *slash;
        if (!quote)
            return UNUSUAL;
        slash = memchr(left.data, '\\', (size_t)(quote - left.data));
        if (!slash) {
            end += (size_t)(quote - left.data);
            *inside = part(json, start, end - start);
            *at = end + 1;
            return DONE;
        }
        *is_escaped = 1;
        end += (size_t)(slash - left.data) + 2;
    }
    return UNUSUAL;
}

/* The character behind `\u`, as UTF-8; halves of pairs are unusual. */
static int
put_character(output *to, span text, size_t at)
{
    unsigned code = 0;
    uint8_t made[3];
    for (size_t next = at; next < at + 4; next++) {
        unsigned value = hex_value(byte_at(text, next));
        if (value > 15)
            return UNUSUAL;
        code = code << 4 | value;
    }
    if (code < 0x80) {
        made[0] = (uint8_t)code;
        return put(to, made, 1);
    }
    if (code < 0x800) {
        made[0] = (uint8_t)(0xC0 | code >> 6);
        made[1] = (uint8_t)(0x80 | (code & 63));
        return put(to, made, 2);
    }
    if (code - 0xD800 < 0x800)
        return UNUSUAL;
    made[0] = (uint8_t)(0xE0 | code >> 12);
    made[1] = (uint8_t)(0x80 | (code >> 6 & 63));
    made[2] = (uint8_t)(0x80 | (code & 63));
    return put(to, made, 3);
}

static int
put_unescaped(output *to, span text)
{
    static const char written[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
    int done = DONE;
    for (size_t at = 0; done == DONE && at < text.size; at++) {
        const char *known;
        unsigned byte = text.data[at];
        if (byte != '\\') {
            done = put(to, &text.data[at], 1);
            continue;
        }
        byte = byte_at(text, ++at);
        if (byte == 'u') {
            done = put_character(to, text, at + 1);
            at += 4;
        } else if (byte && (known = strchr(written, (int)byte)))
            done = put(to, &meant[known - written], 1);
        else
            return UNUSUAL;
    }
    return done;
}

/* Bytes of pairs of hex digits; of a UUID the dashes are left out. */
static int
put_hex(output *to, span text, int has_dashes)
{
    if (room_for(to, text.size / 2) != DONE)
        return FAILED;
    for (size_t at = 0; at < text.size; at += 2) {
        unsigned high, low;
        while (has_dashes && byte_at(text, at) == '-')
            at++;
        if (at == text.size)
            break;
        high = hex_value(byte_at(text, at));
        low = hex_value(byte_at(text, at + 1));
        if (high > 15 || low > 15)
            return UNUSUAL;
        to->data[to->size++] = (char)(high << 4 | low);
    }
    return DONE;
}

static int
put_text(column *to, span json, size_t *at)
{
    span text;
    int is_escaped, done;
    size_t start = to->values.size;
    if (quoted(json, at, &text, &is_escaped) != DONE)
        return UNUSUAL;
    if (to->kind == 't')
        done = is_escaped ? put_unescaped(&to->values, text) : put(&to->values, text.data, text.size);
    else
        done = put_hex(&to->values, text, to->kind == 'g');
    if (done != DONE || to->kind != 'g')
        return done == DONE ? put_ends(&to->ends, to->values.size, 1) : done;
    return to->values.size - start == to->width ? DONE : UNUSUAL;
}

static int
is_word(span json, size_t at, const char *word)
{
    size_t size = strlen(word);
    return holds(json, at, size) && !memcmp(json.data + at, word, size);
}

static int
put_truth(column *to, span json, size_t *at)
{
    if (is_word(json, *at, "false")) {
        *at += 5;
        return DONE;
    }
    if (!is_word(json, *at, "true"))
        return UNUSUAL;
    *at += 4;
    return set_bit(&to->values, to->count);
}

static int
put_number(column *to, span json, size_t *at)
{
    int is_negative = byte_at(json, *at) == '-';
    size_t start = *at += (size_t)is_negative;
    uint64_t value = 0, most = to->kind == 'u' ? UINT64_MAX >> (64 - 8 * to->width) : INT64_MAX >> (64 - 8 * to->width);
    for (unsigned next; (next = byte_at(json, *at) - '0') < 10; ++*at) {
        if (value > (UINT64_MAX - next) / 10)
            return UNUSUAL;
        value = 10 * value + next;
    }
    if (*at == start || (is_negative && to->kind == 'u') || value > most + (uint64_t)is_negative)
        return UNUSUAL;
    if (is_negative)
        value = 0 - value;
    switch (to->width) {
    case 1: {
        uint8_t made = (uint8_t)value;
        return put(&to->values, &made, sizeof made);
    }
    case 2: {
        uint16_t made = (uint16_t)value;
        return put(&to->values, &made, sizeof made);
    }
    case 4: {
        uint32_t made = (uint32_t)value;
        return put(&to->values, &made, sizeof made);
    }
    default:
        return put(&to->values, &value, sizeof value);
    }
}

static int
put_value(column *to, span json, size_t *at)
{
    int done = UNUSUAL;
    if (to->kind == 't' || to->kind == 'x' || to->kind == 'g')
        done = put_text(to, json, at);
    else if (to->kind == 'b')
        done = put_truth(to, json, at);
    else if (to->width)
        done = put_number(to, json, at);
    to->count++;
    return done;
}

static int
put_list(column *to, span json, size_t *at)
{
    int done = byte_at(json, *at) == '[' ? DONE : UNUSUAL;
    ++*at;
    if (done == DONE && byte_at(json, *at) == ']') {
        ++*at;
        return put_ends(&to->lists, to->count, 1);
    }
    while (done == DONE) {
        done = put_value(to, json, at);
        if (done == DONE && byte_at(json, *at) != ',')
            break;
        ++*at;
    }
    if (done != DONE)
        return done;
    return byte_at(json, (*at)++) == ']' ? put_ends(&to->lists, to->count, 1) : UNUSUAL;
}

/* Rows up to this one that had nothing are null. */
static int
reach(column *to, size_t row)
{
    size_t lacking = row - to->rows;
    to->rows = row;
    if (!lacking)
        return DONE;
    if (to->is_repeated)
        return put_ends(&to->lists, to->count, lacking);
    to->count += lacking;
    if (to->kind == 't' || to->kind == 'x')
        return put_ends(&to->ends, to->values.size, lacking);
    return put_zeros(&to->values, lacking * to->width);
}

/* Past a value that nobody asks for. */
static int
pass(span json, size_t *at)
{
    size_t depth = 0;
    while (*at < json.size) {
        unsigned byte = json.data[*at];
        if (byte == '"') {
            span inside;
            int is_escaped;
            if (quoted(json, at, &inside, &is_escaped) != DONE)
                return UNUSUAL;
            continue;
        }
        if (!depth && (byte == ',' || byte == '}' || byte == ']'))
            return DONE;
        depth += byte == '[' || byte == '{';
        depth -= byte == ']' || byte == '}';
        ++*at;
    }
    return UNUSUAL;
}

static int
take_value(column *to, span json, size_t *at, size_t row)
{
    int done;
    if (is_word(json, *at, "null")) {
        *at += 4;
        return DONE;
    }
    if (to->rows > row) /* said twice */
        return UNUSUAL;
    done = reach(to, row);
    if (done == DONE)
        done = to->is_repeated ? put_list(to, json, at) : put_value(to, json, at);
    if (done == DONE)
        done = set_bit(&to->valid, row);
    to->rows++;
    to->set++;
    return done;
}

/* One row. Fields come mostly in the order of their columns. */
static int
take_row(column *columns, size_t count, span json, size_t row)
{
    size_t at = 1, next = 0;
    int done = byte_at(json, 0) == '{' ? DONE : UNUSUAL;
    if (done == DONE && byte_at(json, 1) == '}')
        return json.size == 2 ? DONE : UNUSUAL;
    while (done == DONE) {
        span name;
        size_t tried = 0;
        int is_escaped;
        if (quoted(json, &at, &name, &is_escaped) != DONE || byte_at(json, at++) != ':')
            return UNUSUAL;
        for (; tried < count; tried++, next = next + 1 < count ? next + 1 : 0)
            if (columns[next].name.size == name.size && !memcmp(columns[next].name.data, name.data, name.size))
                break;
        done = tried < count ? take_value(&columns[next], json, &at, row) : pass(json, &at);
        if (done == DONE && byte_at(json, at++) != ',')
            return byte_at(json, at - 1) == '}' && at == json.size ? DONE : UNUSUAL;
    }
    return done;
}

/* A column of the tuple `(name, kind, bytes of a value, whether it is a list of them)`. */
static int
begin(column *to, PyObject *asked)
{
    PyObject *name;
    Py_ssize_t width;
    const char *kind;
    if (!PyArg_ParseTuple(asked, "Usnp", &name, &kind, &width, &to->is_repeated) || !text_bytes(name, &to->name))
        return FAILED;
    to->kind = *kind;
    to->width = (size_t)width;
    if (width < 0 || width > 16 || (width && strchr("ui", to->kind) && width > 8))
        return UNUSUAL;
    if (to->is_repeated && put_ends(&to->lists, 0, 1) != DONE)
        return FAILED;
    return to->kind == 't' || to->kind == 'x' ? put_ends(&to->ends, 0, 1) : DONE;
}

static PyObject *
ended(column *from, size_t rows)
{
    if (!from->set)
        return Py_BuildValue("");
    if (reach(from, rows) != DONE)
        return NULL;
    if (from->set < rows && set_bit(&from->valid, rows) != DONE) /* so that it has all its bytes */
        return NULL;
    if (from->kind == 'b' && set_bit(&from->values, from->count) != DONE)
        return NULL;
    return Py_BuildValue("(ny#y#ny#y#)", (Py_ssize_t)(rows - from->set),
                         from->set < rows ? from->valid.data : NULL, (Py_ssize_t)from->valid.size,
                         from->lists.data, (Py_ssize_t)from->lists.size, (Py_ssize_t)from->count,
                         from->ends.data, (Py_ssize_t)from->ends.size,
                         from->values.data ? from->values.data : "", (Py_ssize_t)from->values.size);
}

static int
take_rows(column *columns, size_t count, PyObject *texts)
{
    Py_ssize_t rows = PyList_Size(texts);
    int done = DONE;
    for (Py_ssize_t row = 0; done == DONE && row < rows; row++) {
        char *bytes;
        Py_ssize_t size;
        span json;
        if (PyBytes_AsStringAndSize(PyList_GetItem(texts, row), &bytes, &size))
            return FAILED;
        json.data = (const uint8_t *)bytes;
        json.size = (size_t)size;
        done = take_row(columns, count, json, (size_t)row);
    }
    return done;
}

static PyObject *
all_ended(column *columns, size_t count, size_t rows)
{
    PyObject *made = PyList_New(0);
    for (size_t at = 0; made && at < count; at++) {
        PyObject *one = ended(&columns[at], rows);
        if (!one || PyList_Append(made, one)) {
            Py_DECREF(made);
            made = NULL;
        }
        Py_XDECREF(one);
    }
    return made;
}

PyObject *
texts_columns(PyObject *module, PyObject *arguments)
{
    PyObject *texts, *asked, *made = NULL;
    size_t count;
    column *columns;
    int done = DONE;
    (void)module;
    if (!PyArg_ParseTuple(arguments, "O!O!", &PyList_Type, &texts, &PyTuple_Type, &asked))
        return NULL;
    count = (size_t)PyTuple_Size(asked);
    columns = PyMem_Calloc(count ? count : 1, sizeof *columns);
    if (!columns)
        return PyErr_NoMemory();
    for (size_t at = 0; done == DONE && at < count; at++)
        done = begin(&columns[at], PyTuple_GetItem(asked, (Py_ssize_t)at));
    if (done == DONE)
        done = take_rows(columns, count, texts);
    if (done == DONE)
        made = all_ended(columns, count, (size_t)PyList_Size(texts));
    else if (done == UNUSUAL)
        made = Py_BuildValue("");
    for (size_t at = 0; at < count; at++) {
        PyMem_Free(columns[at].valid.data);
        PyMem_Free(columns[at].lists.data);
        PyMem_Free(columns[at].ends.data);
        PyMem_Free(columns[at].values.data);
    }
    PyMem_Free(columns);
    return made;
}
