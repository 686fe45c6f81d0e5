/* What costs most of reading and writing texts, compiled: the usual envelope, and fields as JSON. The Python beside it says
   the same and is the reference: amtdecode/protocols/soap/elements.py, amtdecode/fields.py and amtdecode/masking. */

#ifndef LANE_TEXTS_TEXTS_H
#define LANE_TEXTS_TEXTS_H

#include "../python.h"
#include "../cursor.h"

PyObject *texts_envelope(PyObject *module, PyObject *arguments);

#endif
