/* What costs most of reading and writing texts, compiled: the usual envelope, and fields as JSON. The Python beside each
   use says the same and is the reference: amtdecode/protocols/soap/elements.py, amtdecode/model.py, amtdecode/masking,
   amtdecode/tables/typed.py.

   envelope.c   an envelope in one walk, with the tags of xml.c
   headers.c    the head of an HTTP message, a body in chunks, and the parameters of credentials
   json.c       the fields of an event, what is secret in them masked
   columns.c    of such JSON, the columns of a table
   stems.c      whether a text may speak of a secret
   output.h     bytes that grow as json.c and columns.c write
   module.c     the functions */

#ifndef LANE_TEXTS_TEXTS_H
#define LANE_TEXTS_TEXTS_H

#include "../python.h"
#include "../cursor.h"

/* How a step went: with an error set; not the usual, which is left to Python; done. */
enum { FAILED = -1, UNUSUAL, DONE };

PyObject *texts_envelope(PyObject *module, PyObject *arguments);
PyObject *texts_head(PyObject *module, PyObject *arguments);
PyObject *texts_chunks(PyObject *module, PyObject *arguments);
PyObject *texts_parameters(PyObject *module, PyObject *text);
PyObject *texts_fields_json(PyObject *module, PyObject *arguments);
PyObject *texts_columns(PyObject *module, PyObject *arguments);
PyObject *texts_set_stems(PyObject *module, PyObject *stems);
PyObject *texts_has_stem(PyObject *module, PyObject *text);

/* The value of a hex digit; more than 15 where it is none. */
static inline unsigned
hex_value(unsigned byte)
{
    return byte - '0' < 10 ? byte - '0' : (byte | 32) - 'a' < 6 ? (byte | 32) - 'a' + 10 : 16;
}

/* To be called once; 0 with an error. */
int json_begin(void);

/* The characters of a text as UTF-8; 0 with an error where it has none. */
int text_bytes(PyObject *text, span *found);

/* Whether a text has a stem, "@", "%" or what is no ASCII: only then anything in it may be named a secret. */
int has_stem(span text);

/* Whether it is one word of letters, digits and "_", or has no stem: nothing in it is the name of a secret. */
int is_harmless(span text);

/* Whether nothing in a text without a stem can be told to be a secret by its looks (amtdecode/masking/looks.py). */
int looks_plain(span text);

#endif
