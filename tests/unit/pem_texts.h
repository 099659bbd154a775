/* SPDX-License-Identifier: Apache-2.0 */
/* PEM files that openssl genpkey, pkey, ec, rsa and req have made; throw-away keys. */
#ifndef TESTS_PEM_TEXTS_H
#define TESTS_PEM_TEXTS_H

#define BEGIN_PUBLIC "-----BEGIN PUBLIC KEY-----\n"
#define END_PUBLIC "-----END PUBLIC KEY-----\n"
#define ED25519_PRIVATE_PEM \
	"-----BEGIN PRIVATE KEY-----\n" \
	"MC4CAQAwBQYDK2VwBCIEIGZDf8W9WhsmrNpxl+m+zD5T0X9FAnr+f3P5blH7XIy/\n" \
	"-----END PRIVATE KEY-----\n"
#define ED25519_PUBLIC \
	"-----BEGIN PUBLIC KEY-----\n" \
	"MCowBQYDK2VwAyEA5QQVMKz0cmxmkGlmAItf9+U8vQYFzEtOIlTzcngkvWU=\n" \
	"-----END PUBLIC KEY-----\n"
#define P256_PRIVATE_PEM \
	"-----BEGIN PRIVATE KEY-----\n" \
	"MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgy7AfnJGFoACdJ6kG\n" \
	"/mzXdrVsw9RWf6gNeOa+LjY7P16hRANCAAQ+ybnRwjH1e/0kVvOC9DtitN1/7hij\n" \
	"oA6Yf+nedlBLaR+KNU+SPe6buJVgrymEKgOxtS+Vf9Y96G4C6E0pmp8N\n" \
	"-----END PRIVATE KEY-----\n"
#define P256_PUBLIC \
	"-----BEGIN PUBLIC KEY-----\n" \
	"MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEPsm50cIx9Xv9JFbzgvQ7YrTdf+4Y\n" \
	"o6AOmH/p3nZQS2kfijVPkj3um7iVYK8phCoDsbUvlX/WPehuAuhNKZqfDQ==\n" \
	"-----END PUBLIC KEY-----\n"
#define P256_COMPRESSED \
	"-----BEGIN PUBLIC KEY-----\n" \
	"MDkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDIgADPsm50cIx9Xv9JFbzgvQ7YrTdf+4Y\n" \
	"o6AOmH/p3nZQS2k=\n" \
	"-----END PUBLIC KEY-----\n"
#define P256_EXPLICIT \
	"-----BEGIN PUBLIC KEY-----\n" \
	"MIIBSzCCAQMGByqGSM49AgEwgfcCAQEwLAYHKoZIzj0BAQIhAP////8AAAABAAAA\n" \
	"AAAAAAAAAAAA////////////////MFsEIP////8AAAABAAAAAAAAAAAAAAAA////\n" \
	"///////////8BCBaxjXYqjqT57PrvVV2mIa8ZR0GsMxTsPY7zjw+J9JgSwMVAMSd\n" \
	"NgiG5wSTamZ44ROdJreBn36QBEEEaxfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5\n" \
	"RdiYwpZP40Li/hp/m47n60p8D54WK84zV2sxXs7LtkBoN79R9QIhAP////8AAAAA\n" \
	"//////////+85vqtpxeehPO5ysL8YyVRAgEBA0IABD7JudHCMfV7/SRW84L0O2K0\n" \
	"3X/uGKOgDph/6d52UEtpH4o1T5I97pu4lWCvKYQqA7G1L5V/1j3obgLoTSmanw0=\n" \
	"-----END PUBLIC KEY-----\n"
#define P256_SEC1 \
	"-----BEGIN EC PRIVATE KEY-----\n" \
	"MHcCAQEEIMuwH5yRhaAAnSepBv5s13a1bMPUVn+oDXjmvi42Oz9eoAoGCCqGSM49\n" \
	"AwEHoUQDQgAEPsm50cIx9Xv9JFbzgvQ7YrTdf+4Yo6AOmH/p3nZQS2kfijVPkj3u\n" \
	"m7iVYK8phCoDsbUvlX/WPehuAuhNKZqfDQ==\n" \
	"-----END EC PRIVATE KEY-----\n"
#define P256_CERTIFICATE \
	"-----BEGIN CERTIFICATE-----\n" \
	"MIIBbDCCAROgAwIBAgIUKpRsq61NQyx/YnKdzdLITZvBPm4wCgYIKoZIzj0EAwIw\n" \
	"DDEKMAgGA1UEAwwBeDAeFw0yNjExMjAxNjQ5MTRaFw0yNjExMjExNjQ5MTRaMAwx\n" \
	"CjAIBgNVBAMMAXgwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAAQ+ybnRwjH1e/0k\n" \
	"VvOC9DtitN1/7hijoA6Yf+nedlBLaR+KNU+SPe6buJVgrymEKgOxtS+Vf9Y96G4C\n" \
	"6E0pmp8No1MwUTAdBgNVHQ4EFgQUiG7OHLMfE5y3NZE3m2bRc5w0KFIwHwYDVR0j\n" \
	"BBgwFoAUiG7OHLMfE5y3NZE3m2bRc5w0KFIwDwYDVR0TAQH/BAUwAwEB/zAKBggq\n" \
	"hkjOPQQDAgNHADBEAiBVurIUKSuhh2uGjFCyz8/4LR1sVhtgjkcO5XAPre5gSgIg\n" \
	"FpXz81FTZHusuZk1i2pHbGuqc71RxyPOBNesGaMLFsY=\n" \
	"-----END CERTIFICATE-----\n"
#define RSA_PRIVATE_PEM \
	"-----BEGIN PRIVATE KEY-----\n" \
	"MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQClcR4vGg8kxBoI\n" \
	"UB+ukcrk2+OwiL0koWYgGyDOvRt8l7z9eVsiVk4Kbehx/+G/GYrZ1TRryl1YdHHd\n" \
	"1t8lwyIL++yauY3t4vSeHoBHIp6pnQ9y4bLKZ7RXd0YVAPyqPr9esTXx3AyeXuVE\n" \
	"VqDKRaKp2UnQdlJ3F+mKBrkz+H/W4kMa9wsBs0E3x8chc7riX641r2OJgULitXG1\n" \
	"UvKqw89CG4XX6a4HVIYVIlbr5gfWydrwDbfbtxTle2INrA4+HfBs6tW2V03wUPW4\n" \
	"SOFv0XwJxOUU+F/fGbx2oazm3fg4nZHf/OMn0SdaJJ3SN19u7yLU7fGLdV+LHshJ\n" \
	"rjCs/DHXAgMBAAECggEANlGhDOr77ODcAT25YToqCSEvLT+ABn5dhw4RI//P/gTd\n" \
	"/sUxCGGYxvDWIFPYvUM4JRRM3VU4d7nnxuPtKTtbut6QjS5+LIxXL3EpQfHacSsJ\n" \
	"rvjumGkbO5qELpI/4u+uKnt5kDrlA7x5fwoISdE6OpUGmMS4h7SYr4JMnYUqCBWD\n" \
	"aAmXDwtUO6VDngPGHC8YehaPc8soepqnwRPFqBzX9xq1HXMSOn4OyuiTC/PxuDbG\n" \
	"KX2jZ2AgJK5QdPmbjW5P4UfZUXiOdBtYlXPC+ywfjKL2iq0/1dNMRKKZFmPH0Xgf\n" \
	"PcJ04QFlDiHpiDEcX3F0ywfuy9T/pNKXb4iKy7qRjQKBgQDcdYmK7Is84B99WTRx\n" \
	"hhkyxg/jVV63Ql1d5O03gB/krWBrMP41hnvYhXmibKzcF0Alw5cf6rJwDyE6mXwA\n" \
	"nomIc/NtPxo1RwLglCAb+0BFZZKQZhZEcPhLa2q13Lgs5OWju5asOhjUGvU8aLcv\n" \
	"PyIWIj7YInNWqGSSDwh2sIm3GwKBgQDAHP1X6Orls4QzWj19FBeNJ6TcK+UOlSo6\n" \
	"F0Bb43JnolDGgCf9eP8pjh6w6NwH590mnf7cRHiqg75qusePGF5b5tB8IldQG1M5\n" \
	"1DYXU80EvC/2C2GXqrK67sgiFAen6u8MQveOYtPoiKIm2LDuQFQOqUO79CxLT3Q2\n" \
	"Bn1qINYv9QKBgFb7wTMhNablP0dz5O9N269e2nH2AxMHilM7uiUF1o+hoMNqZ0Kz\n" \
	"NzYtI9rkSifkvJip3XzoW1M/hPrcCEMuSlGeflOCbFLNG+OETk78CVXYR8XVob+L\n" \
	"W0xWq5np5nlALyM1JrP5kEZQBKa7Ilvv6wEUrfsVTLDKbDP83ngGG7A1AoGBAJds\n" \
	"QiOwarVysZjoX97en1GbFc6Uqo678/Slrwy+UcZtoc1T5jFb1YMjif1XDVcN4ro1\n" \
	"flSPg6yi+suVPQYE5xr46wts5fU2FHtYUOpCGy7IReVhQyMQYKAG5ag2sXIhMxov\n" \
	"DoEkVHLMf0KvOYYRHjAQKltTMjaKAcczhlbIWwqhAoGASOzgNOfBrKRHEa+8oxPD\n" \
	"KeWdfi+iiKeCQ9rr3ARKdlKzRiqNG96UgsxfH+MU3/nv3MhXGljk22a3qz6L2H6z\n" \
	"9KDT56zj4SQOO6Of6IYvYwY+mmh+a/Sn3wLZHnGLHa5pE1Gw+MSLIPFMbbnBwZ7B\n" \
	"kwwZNzBo3/jgad1FlwhZjXY=\n" \
	"-----END PRIVATE KEY-----\n"
#define RSA_PUBLIC \
	"-----BEGIN PUBLIC KEY-----\n" \
	"MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEApXEeLxoPJMQaCFAfrpHK\n" \
	"5NvjsIi9JKFmIBsgzr0bfJe8/XlbIlZOCm3ocf/hvxmK2dU0a8pdWHRx3dbfJcMi\n" \
	"C/vsmrmN7eL0nh6ARyKeqZ0PcuGyyme0V3dGFQD8qj6/XrE18dwMnl7lRFagykWi\n" \
	"qdlJ0HZSdxfpiga5M/h/1uJDGvcLAbNBN8fHIXO64l+uNa9jiYFC4rVxtVLyqsPP\n" \
	"QhuF1+muB1SGFSJW6+YH1sna8A2327cU5XtiDawOPh3wbOrVtldN8FD1uEjhb9F8\n" \
	"CcTlFPhf3xm8dqGs5t34OJ2R3/zjJ9EnWiSd0jdfbu8i1O3xi3Vfix7ISa4wrPwx\n" \
	"1wIDAQAB\n" \
	"-----END PUBLIC KEY-----\n"
#define RSA_PKCS1 \
	"-----BEGIN RSA PUBLIC KEY-----\n" \
	"MIIBCgKCAQEApXEeLxoPJMQaCFAfrpHK5NvjsIi9JKFmIBsgzr0bfJe8/XlbIlZO\n" \
	"Cm3ocf/hvxmK2dU0a8pdWHRx3dbfJcMiC/vsmrmN7eL0nh6ARyKeqZ0PcuGyyme0\n" \
	"V3dGFQD8qj6/XrE18dwMnl7lRFagykWiqdlJ0HZSdxfpiga5M/h/1uJDGvcLAbNB\n" \
	"N8fHIXO64l+uNa9jiYFC4rVxtVLyqsPPQhuF1+muB1SGFSJW6+YH1sna8A2327cU\n" \
	"5XtiDawOPh3wbOrVtldN8FD1uEjhb9F8CcTlFPhf3xm8dqGs5t34OJ2R3/zjJ9En\n" \
	"WiSd0jdfbu8i1O3xi3Vfix7ISa4wrPwx1wIDAQAB\n" \
	"-----END RSA PUBLIC KEY-----\n"
#define RSA1024_PUBLIC \
	"-----BEGIN PUBLIC KEY-----\n" \
	"MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDKBhTJPwBZ2JA4tfSFBk7vSmEY\n" \
	"UDWBiE6TvRB13vqyQDEixcsIQeAJB3HJRS2WHgesgBn3s28erOngholASliQwRAc\n" \
	"AXdqpJ00xdBGvE0jW+hnh/A0Aby8DKIz1IvPQfTvUnJRVHMHCf5Y1rsXUvnfMIsa\n" \
	"KebA+69avCzvrJnJpQIDAQAB\n" \
	"-----END PUBLIC KEY-----\n"
#define RSA_E3_PUBLIC \
	"-----BEGIN PUBLIC KEY-----\n" \
	"MIIBIDANBgkqhkiG9w0BAQEFAAOCAQ0AMIIBCAKCAQEAzWxw0peWtzMRWqb7aX+I\n" \
	"JZgncOzFL6kazOwscMgkg97kao3TboY7ryXUVexl43ocNBUzLs7whKpuF4AogTz3\n" \
	"vUpxkAzf3uMTyYihtCAT3H3KSzmObU/e3XKNB/zKSN8pz+4JUTWeKuQkOS6nYatS\n" \
	"5AjJYmTFpjEhW0W2Xi96+fbt6aYQpcysdIDQhs9hQJF0H+hSYgNcDI3lbKCo+6sZ\n" \
	"OeiOxA0PMEcHZ3TyyCLdnyZn5hStxxbUdvDjB1r9h7t/L/qmPdd/q/zbbbFOUPse\n" \
	"b9VbKdGjpIIkSM/+sPjCzCJ10QIkXEIJ2r12urLrcxfIaArN2GPCLb2xZ0+Tq6hf\n" \
	"/QIBAw==\n" \
	"-----END PUBLIC KEY-----\n"
#define RSA_PSS_PUBLIC \
	"-----BEGIN PUBLIC KEY-----\n" \
	"MIIBIDALBgkqhkiG9w0BAQoDggEPADCCAQoCggEBALmIBv2lit7Yxet0z29wdXuA\n" \
	"FXDRoKugwNji70gF6IczFLQXkBuWNRyll7PWf6rMU2E64MZxrlj9OZGMRxi8mB6H\n" \
	"sGVX3cvSnrA20JRHnp8vGunm+jd+t+qdw9bmaKKInswAmsDvzk0wDUJROzeqBMsg\n" \
	"Ih6lnoiT4vmvGdgIDOhurohZMl1G7z8EeO4J/p9IW5haFqtv7X+g1UK1qmlOfT8Z\n" \
	"nF1UW6n/9HAUfF/DEsoKoX0C6Q+GrJe7uHEKlhqsO5jRDkj+5ayHTFtnydV7Ea1Y\n" \
	"dQnWJJIyXsLtl3t/a6vFSLQ9MnMjL8g7JWwvp5B4wSyGr6gldVzIEmpKku9lLPUC\n" \
	"AwEAAQ==\n" \
	"-----END PUBLIC KEY-----\n"
#define X25519_PUBLIC \
	"-----BEGIN PUBLIC KEY-----\n" \
	"MCowBQYDK2VuAyEAieNMVsvzhyQX+mXDXUDZUJsfmwvy+ixECsprwIb41wY=\n" \
	"-----END PUBLIC KEY-----\n"
#define ED448_PUBLIC \
	"-----BEGIN PUBLIC KEY-----\n" \
	"MEMwBQYDK2VxAzoASyNDEmBKmrCMXEViGJ4gn1GdyI+v9f1IUxhDQLz13odVtcdk\n" \
	"18fBa5AO2Cc0C2rY46FdEC6Adj+A\n" \
	"-----END PUBLIC KEY-----\n"
#define SECP256K1_PUBLIC \
	"-----BEGIN PUBLIC KEY-----\n" \
	"MFYwEAYHKoZIzj0CAQYFK4EEAAoDQgAE5vjVYiWF8xl4xk6fp7z6G28OGUZ1ZwAn\n" \
	"F4VteE02qfdBNS/4dCZeVF59v9WG3RkBe65+2K9wONmX6/Fk+LON4A==\n" \
	"-----END PUBLIC KEY-----\n"

#endif
