/* The module of texts. */

#include "texts.h"

static PyMethodDef functions[] = {
    {"envelope", texts_envelope, METH_VARARGS,
     PyDoc_STR("envelope(data, names, is_secret, is_secret_inside)\n\n"
               "What an envelope holds; None where it is not the usual one.")},
    {"head", texts_head, METH_VARARGS,
     PyDoc_STR("head(data, start, limits, of_response)\n\n"
               "The end of the head at `start`, the words of its first line, headers, and their values by lower-case name; None\n"
               "where it is odd, not all there, or beyond a limit: bytes, bytes of the first line, header lines.")},
    {"chunks", texts_chunks, METH_VARARGS,
     PyDoc_STR("chunks(data, start, limit)\n\n"
               "The body whose chunks begin at `start`, and where they end; None where it is odd, longer, or not all there.")},
    {"parameters", texts_parameters, METH_O,
     PyDoc_STR("parameters(text)\n\n"
               "Parameters of credentials by lower-case name; None where one is odd.")},
    {"fields_json", texts_fields_json, METH_VARARGS,
     PyDoc_STR("fields_json(fields, marks, masked)\n\n"
               "Fields as JSON, secrets masked; None where a value is of a kind not written here.")},
    {"columns", texts_columns, METH_VARARGS,
     PyDoc_STR("columns(texts, asked)\n\n"
               "Columns of fields as JSON, in Arrow's layout; None where one does not fit.")},
    {"set_stems", texts_set_stems, METH_O,
     PyDoc_STR("set_stems(stems)\n\n"
               "What every text has in it that may speak of a secret.")},
    {"has_stem", texts_has_stem, METH_O,
     PyDoc_STR("has_stem(text)\n\n"
               "Whether a text has a stem in it, @, %, or what is no ASCII.")},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "amtdecode._texts",
    .m_doc = "Reading and writing of texts, compiled; see compiled.py.",
    .m_size = -1,
    .m_methods = functions,
};

PyMODINIT_FUNC
PyInit__texts(void)
{
    return json_begin() ? PyModule_Create(&definition) : NULL;
}
