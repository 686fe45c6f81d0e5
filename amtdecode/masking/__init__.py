"""What is a secret, and how it is kept out of sight: the one room that judges that, for all outputs.

`names` judges what a thing is called (an element, a header, a query key, a key in a log): `is_secret_name`. `text`
covers secrets in free text (a fault, a header's value, an address, a log line): `masked`. Fields of the catalogue are
secret or not as they are declared. To mask too much is a small fault, to mask too little a grave one.
"""

from amtdecode.masking.names import SCHEMES, SHOWN_INSIDE, is_reference, is_secret_name, is_value, names_a_value
from amtdecode.masking.text import doubtful, is_word, masked

__all__ = [
    "SCHEMES",
    "SHOWN_INSIDE",
    "doubtful",
    "is_reference",
    "is_secret_name",
    "is_value",
    "is_word",
    "masked",
    "names_a_value",
]
