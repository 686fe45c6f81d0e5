/* The module of texts. */

#include "texts.h"

static PyMethodDef functions[] = {
    {"envelope", texts_envelope, METH_VARARGS,
     PyDoc_STR("envelope(data, names, is_secret, is_secret_inside)\n\n"
               "What an envelope holds; None where it is not the usual one.")},
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
    return PyModule_Create(&definition);
}
