"""The root certificates whose fingerprints AMT firmware is known to list in its hello.

A fingerprint names a root; it does not say that a given machine carries it: the hello of the machine says that.
Sources: the fingerprints marked `COMPUTED` were computed from the certificates themselves, as published in the bundles
of operating systems and browsers. `DOCUMENTED` ones are printed in public documents of the AMT ecosystem, `GENERAL`
ones are widely repeated but were not recomputed here, `UNIDENTIFIED` ones occur in published hello messages and nobody
says whose they are. Kept apart from the certificate's re-issues: VeriSign G1 and G1.5 share name and key and differ in
fingerprint.
"""

from __future__ import annotations

from typing import NamedTuple

COMPUTED = "computed from the certificate"
DOCUMENTED = "printed in public documents"
GENERAL = "general knowledge, not recomputed"
UNIDENTIFIED = "unidentified"


class Root(NamedTuple):
    """What one fingerprint stands for."""

    name: str
    algorithm: str  # "SHA-1", "SHA-256", "SHA-384"
    certainty: str  # one of the constants above
    source: str


class Fingerprints(NamedTuple):
    """A root certificate and the digests of its DER encoding, as lower-case hex; empty where not known."""

    name: str
    certainty: str
    source: str
    sha1: str = ""
    sha256: str = ""
    sha384: str = ""


_CERTIFICATE = "the published root certificate"
_FIRST_FIVE = "list of the roots of AMT 2.2, 2.6 and 3.0; Altiris article on remote configuration certificates, 2010"
_AMT_11_8 = "certificate hash list of an AMT 11.8.50 machine, test data of the Open AMT remote provisioning server"
_SAMPLE = "hello messages in MeshCentral's source"

CERTIFICATES: tuple[Fingerprints, ...] = (
    Fingerprints(
        "VeriSign Class 3 Public Primary CA (G1)",
        DOCUMENTED,
        _FIRST_FIVE,
        sha1="742c3192e607e424eb4549542be1bbc53e6174e2",
    ),
    Fingerprints(
        "VeriSign Class 3 Public Primary CA (G1)",
        GENERAL,
        _AMT_11_8,
        sha256="e7685634efacf69ace939a6b255b7b4fabef42935b50a265acb5cb6027e44e70",
    ),
    Fingerprints(
        "VeriSign Class 3 Public Primary CA (G1.5)",
        DOCUMENTED,
        "added by firmware updates of 2009 and 2010; Altiris article on remote configuration certificates, 2010",
        sha1="a1db6393916f17e4185509400415c70240b0ae6b",
    ),
    Fingerprints(
        "VeriSign Class 3 Public Primary CA (G1.5)",
        GENERAL,
        _AMT_11_8,
        sha256="a4b6b3996fc2f306b3fd8681bd63413d8c5009cc4fa329c2ccf0e2fa1b140305",
    ),
    Fingerprints(
        "Verizon Global Root CA",
        GENERAL,
        _AMT_11_8,
        sha256="68ad50909b04363c605ef13581a939ff2c96372e3f12325b0a6861e1d59f6603",
    ),
    Fingerprints(
        "VeriSign Class 3 Public Primary CA - G3",
        COMPUTED,
        _CERTIFICATE,
        sha1="132d0d45534b6997cdb2d5c339e25576609b5cc6",
        sha256="eb04cf5eb1f39afa762f2bb120f296cba520c1b97db1589565b81cb9a17b7244",
        sha384="de81620e73cdca284cbecfe5e657aa438b4aff1b5374a4512caa31948c975de15eec7fa0c5089322c870e89f82fc6378",
    ),
    Fingerprints(
        "Go Daddy Class 2 CA",
        COMPUTED,
        _CERTIFICATE,
        sha1="2796bae63f1801e277261ba0d77770028f20eee4",
        sha256="c3846bf24b9e93ca64274c0ec67c1ecc5e024ffcacd2d74019350e81fe546ae4",
        sha384="882710ef4e42c3151067a8aab5fe63963209b444b1fb3d35594a5dc938ac3c4ace5f0d3a7bc4b176ca0e5e555ef03590",
    ),
    Fingerprints(
        "Comodo AAA Certificate Services",
        COMPUTED,
        _CERTIFICATE,
        sha1="d1eb23a46d17d68fd92564c2f1f1601764d8e349",
        sha256="d7a7a0fb5d7e2731d771e9484ebcdef71d5f0c3e0a2948782bc83ee0ea699ef4",
        sha384="9a6308c587fe81766b61ace47e0228750b210dedcb0961803635927405cf8581d075ff6e2d7e06c4d5e9054e6c89faca",
    ),
    Fingerprints(
        "Starfield Class 2 CA",
        COMPUTED,
        _CERTIFICATE,
        sha1="ad7e1c28b064ef8f6003402014c3d0e3370eb58a",
        sha256="1465fa205397b876faa6f0a9958e5590e40fcc7faa4fb7c2c8677521fb5fb658",
        sha384="555926edb7e0f9019f3bf550b961b89c56e42550628a5f1d9671fd07484dd9184ca7c61dea28ae205333b0cbdd5ec84a",
    ),
    Fingerprints(
        "VeriSign Class 3 Public Primary CA - G2",
        COMPUTED,
        _CERTIFICATE,
        sha1="85371ca6e550143dce2803471bde3a09e8f8770f",
        sha256="83ce3c1229688a593d485f81973c0f9195431eda37cc5e36430e79c7a888638b",
        sha384="9393e8937492c1223fb089dd2419cd280626927421fe46fba823082b4e63f2dbbf70bc8621ac2b59a445bcbe372c0f55",
    ),
    Fingerprints(
        "VeriSign Class 3 Public Primary CA - G5",
        COMPUTED,
        _CERTIFICATE,
        sha1="4eb6d578499b1ccf5f581ead56be3d9b6744a5e5",
        sha256="9acfab7e43c8d880d06b262a94deeee4b4659989c3d0caf19baf6405e41ab7df",
        sha384="0c7d64406021fc2ea8288c11ff64ef8b520a565ce05ad17c442580d21d9a16150eefbe5df2c95b16cfc06d1123f786df",
    ),
    Fingerprints(
        "GTE CyberTrust Global Root",
        COMPUTED,
        _CERTIFICATE,
        sha1="97817950d81c9670cc34d809cf794431367ef474",
        sha256="a53125188d2110aa964b02c7b7c6da3203170894e5fb71fffb6667d5e6810a36",
        sha384="2691c007e8cfd3e034d729502689fc8c25ed44fb1f747c17b8bfbb89bbb16815cabdaefb2f074a8549646bd397af6cdb",
    ),
    Fingerprints(
        "Baltimore CyberTrust Root",
        COMPUTED,
        _CERTIFICATE,
        sha1="d4de20d05e66fc53fe1a50882c78db2852cae474",
        sha256="16af57a9f676b0ab126095aa5ebadef22ab31119d644ac95cd4b93dbf3f26aeb",
        sha384="5a04e86b69c71eb9d12917ad6551358452af6646192e50803e6a8f9e86cbadb17565b528c682dc2dc1e4ac6009cd170f",
    ),
    Fingerprints(
        "Cybertrust Global Root",
        COMPUTED,
        _CERTIFICATE,
        sha1="5f43e5b1bff8788cac1cc7ca4a9ac6222bcc34c6",
        sha256="960adf0063e96356750c2965dd0a0867da0b9cbd6e77714aeafb2349ab393da3",
        sha384="e0cd60952472bd48680e8f3a3dea86a0b8eb94b773130894f9a0c2e62c7925635312f749e5c62f35543c7b9caf19517d",
    ),
    Fingerprints(
        "Entrust.net CA (2048)",
        COMPUTED,
        _CERTIFICATE,
        sha1="503006091d97d4f5ae39f7cbe7927d7d652d3431",
        sha256="6dc47172e01cbcb0bf62580d895fe2b8ac9ad4f873801e0c10b9c837d21eb177",
        sha384="fcc85f2949da5fa0227b21f94b15ac2fad8120a3b5063dc5ddb2ca3c0c0ec43a4865fdcc08c3ea4c8b7fbd66d0496fd3",
    ),
    Fingerprints(
        "Entrust Root CA",
        COMPUTED,
        _CERTIFICATE,
        sha1="b31eb1b740e36c8402dadc37d44df5d4674952f9",
        sha256="73c176434f1bc6d5adf45b0e76e727287c8de57616c1e6e6141a2b2cbc7d8e4c",
        sha384="f6e0c59dc46967b4b94665595a236c3f0ace639d9658aeabf478418fb10334bbc617a7ac53d7746112b26f705fd2b870",
    ),
    Fingerprints(
        "VeriSign Universal Root CA",
        COMPUTED,
        _CERTIFICATE,
        sha1="3679ca35668772304d30a5fb873b0fa77bb70d54",
        sha256="2399561127a57125de8cefea610ddf2fa078b5c8067f4e828290bfb860e84b3c",
        sha384="5a9dcbc1b912b245ea2f9f411fc3b0a64121ac24cb85249d4e376433a2dd71c7463a7cf3730726815af97c92501edadc",
    ),
    Fingerprints(
        "Go Daddy Root CA - G2",
        COMPUTED,
        _CERTIFICATE,
        sha1="47beabc922eae80e78783462a79f45c254fde68b",
        sha256="45140b3247eb9cc8c5b4f0d7b53091f73292089e6e5a63e2749dd3aca9198eda",
        sha384="3e54bb0fe56fa7d9eda000ac3a2d5362507b89b94e1c41adb48044e0b73a855a6d87aaf22c861d2168dc5bc90dce5d57",
    ),
    Fingerprints(
        "Entrust Root CA - G2",
        COMPUTED,
        _CERTIFICATE,
        sha1="8cf427fd790c3ad166068de81e57efbb932272d4",
        sha256="43df5774b03e7fef5fe40d931a7bedf1bb2e6b42738c4e6d3841103d3aa7f339",
        sha384="e54eacb44898ccdcafd73c8ac171a1281ce942e7d42c1bdf8db2cff0372cfb41d5db735c0aad8924053ae9c4012a413b",
    ),
    Fingerprints(
        "Starfield Root CA - G2",
        COMPUTED,
        _CERTIFICATE,
        sha1="b51c067cee2b0c3df855ab2d92f4fe39d4e70f0e",
        sha256="2ce1cb0bf9d2f9e102993fbe215152c3b2dd0cabde1c68e5319b839154dbb7f5",
        sha384="ed1c0cb4a95687b69175cb7f158dd8b9742bfecae5b72ce9f40589d088d63d54e40ae5d39f2fdba095acd7708b4a9d59",
    ),
    Fingerprints(
        "AffirmTrust Premium",
        COMPUTED,
        _CERTIFICATE,
        sha1="d8a6332ce0036fb185f6634f7d6a066526322827",
        sha256="70a73f7f376b60074248904534b11482d5bf0e698ecc498df52577ebf2e93b9a",
        sha384="4eb25c287e82d64d2feee26ce68fd7c4655ec3e799a0fb9a4575ebed5e097ce7b435a24de16194f1983ef81d94d80585",
    ),
    Fingerprints(
        "DigiCert Global Root CA",
        COMPUTED,
        _CERTIFICATE,
        sha1="a8985d3a65e5e5c4b2d7d66d40c6dd2fb19c5436",
        sha256="4348a0e9444c78cb265e058d5e8944b4d84f9662bd26db257f8934a443c70161",
        sha384="5f9ec4d00d5eca4e8e57328ce40db290bd96842ddb0be3e109601058464b78801f672722bb18f2135563b98079629c7f",
    ),
    Fingerprints(
        "DigiCert Global Root G2",
        COMPUTED,
        _CERTIFICATE,
        sha1="df3c24f9bfd666761b268073fe06d1cc8d4f82a4",
        sha256="cb3ccbb76031e5e0138f8dd39a23f9de47ffc35e43c1144cea27d46a5ab1cb5f",
        sha384="d005d872a59e2b3c69d301e262ff2f13b4d1794bdb19db1cb32415bffc66e5e0671a41b2a3bc4e54e6d2f66dfee09403",
    ),
    Fingerprints(
        "DigiCert Global Root G3",
        COMPUTED,
        _CERTIFICATE,
        sha1="7e04de896a3e666d00e687d33ffad93be83d349e",
        sha256="31ad6648f8104138c738f39ea4320133393e3a18cc02296ef97c2ac9ef6731d0",
        sha384="444e0e95770a07430b901f6c3253c20355ed6e8d74c2febf63740e4993a8f8948e66a4abc700da23fa9fc2554fbb4af0",
    ),
    Fingerprints(
        "DigiCert Trusted Root G4",
        COMPUTED,
        _CERTIFICATE,
        sha1="ddfb16cd4931c973a2037d3fc83a4d7d775d05e4",
        sha256="552f7bdcf1a7af9e6ce672017f4f12abf77240c78e761ac203d1d9d20ac89988",
        sha384="1b50985b46da0d6b3808ea75fa03969ef2585c090981f644352754df66e05d0dc555af764746093cca6398bb7bf514cf",
    ),
    Fingerprints(
        "GlobalSign Root CA - R3",
        COMPUTED,
        _CERTIFICATE,
        sha1="d69b561148f01c77c54578c10926df5b856976ad",
        sha256="cbb522d7b7f127ad6a0113865bdf1cd4102e7d0759af635a7cf4720dc963c53b",
        sha384="a7593a9e8ce91529e86d3dcb69a839a14114676047bca52496e5964d21c6143478a44452d1f2c4088d8a80e887d0c228",
    ),
    Fingerprints(
        "GlobalSign ECC Root CA - R5",
        COMPUTED,
        _CERTIFICATE,
        sha1="1f24c630cda418ef2069ffad4fdd5f463a1b69aa",
        sha256="179fbc148a3dd00fd24ea13458cc43bfa7f59c8182d783a513f6ebec100c8924",
        sha384="4202f87d632384f4ec79600441b0c1d8f98289746dc8559cbef53fdef5733e1e9f911082822efd8556f99f71c97a0307",
    ),
    Fingerprints(
        "GlobalSign Root CA - R6",
        COMPUTED,
        _CERTIFICATE,
        sha1="8094640eb5a7a1ca119c1fddd59f810263a7fbd1",
        sha256="2cabeafe37d06ca22aba7391c0033d25982952c453647349763a3ab5ad6ccf69",
        sha384="b035a3e03b619bc68ae723ad9511ac722744a6f1dc51c96463791bb068ea17e3118cf7578e249346b329387f5ba68df2",
    ),
    Fingerprints(
        "unidentified root",
        UNIDENTIFIED,
        _SAMPLE,
        sha256="67540a47aa5b9f34570a99723cfefa96a96ee3f0d9b8bf4def9440b8065d665d",
    ),
    Fingerprints(
        "unidentified root",
        UNIDENTIFIED,
        _SAMPLE,
        sha256="7224395222cd588c4f2683716922addb41e39b581ac34fa87b39efa896fbb39e",
    ),
    Fingerprints(
        "unidentified root, inferred to be a custom one",
        UNIDENTIFIED,
        _SAMPLE,
        sha256="a267c480b0b29056eb5e8aa7c93add804f5a7df516e969e77bcacafe8d456079",
    ),
)

ROOTS: dict[str, Root] = {
    digest: Root(each.name, algorithm, each.certainty, each.source)
    for each in CERTIFICATES
    for algorithm, digest in (("SHA-1", each.sha1), ("SHA-256", each.sha256), ("SHA-384", each.sha384))
    if digest
}
"""Lower-case hex of a fingerprint to the root it names."""
