/* SPDX-License-Identifier: Apache-2.0 */
/* Public keys as members of a JWK, and their private parts. Throw-away keys. */
#ifndef TESTS_JWK_TEXTS_H
#define TESTS_JWK_TEXTS_H

/* RSA of 2048 bits. */
#define RSA_N \
	"ve_-k3uJBqwife0LVWX4-3Tjx_r6rillLJYOf7kncJijq72nkeB-wpb14aM4M-sMqsQJeYrCfmThD6xTFB5p_zr8yCLaqvOvd84j" \
	"G2YZzVCdEpzdvU7zxWWuXLd7PGjzJfP0YXz86uQtqvpUI-hjEhISPe0Pim-BT5RN3JXRTV-TvnN9XYObIu3-3GSMwyMao4x7uy84" \
	"zSIGPqu8F1KRB86Trj3mSjujYMZeJF9L0nqDmztFIqjQ4X6kYH5qd6HytD_-a_wg-uHzzh1dgAFm5059UOKry1vb7nRPNYmlHZ_8" \
	"uPUHwAWGiyyVW7-DF_O7OMNzX8-4pii2n561Bz8sVw"
#define RSA "\"kty\":\"RSA\",\"e\":\"AQAB\",\"n\":\"" RSA_N "\""
#define RSA_PRIVATE \
	",\"d\":\"EgHe25IAERHgyJo1_jKyGE-iCM5SqzsMId4CzI579BYvQ5OyKge5Ui7dwOFTQsOAv-_gthU3EKSfxyH0qRj5E6mUAvr" \
	"K9covUzxyjPZxG8tjbjr7tXxMFZA-UlaoPbdK1h5QMliXN0MgJpr1FIfDshg519p8eV4jnwKAdJlU7pt8o3tdGuLLOX8isBRJ3fi" \
	"GapIR9_2roaVnfSjA5nO4ACnl22_TvKVyo0oTFPt8FGeQyNPuXdijvHPtIUOGesJ-FVq1Y44X3-kREAZDceVxvVhcn28rjx9s32U" \
	"iBttDDPkesuY9bFZ0dP-2c0ilxSC-tLaRtezEueEFjaEcbixxAQ\",\"p\":\"4dYJUPe5nc_jFKGo3GwqOYUSLiF0jacd5kJNDC" \
	"WM1Xw7foTIHpwdpjE4ko6jp5HLH8d6CZX1-zp1aSAUS9oRHmNmneDuKBcBccny_1fZoGMd6m8Fn1dnyWl7KJv8_RbIgVvIXSPiOf" \
	"wfXCFI4HLxpjJAurVQjtVJ7Hk6ZmXeid8\",\"q\":\"1058KwqZnTriMzdejDV5BzoJDv-0XdPKLRCTgWRJpE_yM-0ENQmXUPy1" \
	"hp_mcphukmV4M5DOBHeyCdDCIxS8adtdOC6eiAZWeDFZsHGfYqNqnVQVSg0Z0DSvQjucglTJ0QH_Yt4e3xg4CoT-SGwL0AVqELUb" \
	"ZqFjiZnr6cxNHIk\",\"dp\":\"sY4cSQJbd03o1WG8Z4DLOen7vzUic_R-N3jNJs2nCnngNLqktBw921o7hk6LMMYZk2S7-Clk-" \
	"h6eDQbhrjlG2EOCfIJJ_E8KHbKPUF57hfQnoxeirgKEYQCDigwKPdnZzoqg30nFJZ2p8j9hEsaMYwSDi8feDE55DmjJl5RkALU\"" \
	",\"dq\":\"Zy4upTXUPhxM8Lx1K_4oPQVb9_skxd5MQmJyPg0AmaTSbn4EiSJKiL5Cg_y3JG3Wd4P3IccgY9W01a1cjBFQ5e4Bc3" \
	"4r7QYUhE8qKzuYZV3pJvJ3rWAv4a6N2tDUhUT63pX1fLzz0Hg7yxbHAY_97TfbB5yzP_DR0cyY2RdWUPk\",\"qi\":\"yMUeVO5" \
	"Ii281EV0skQEhTE-PUeBMZCh7Pk5MnzstmuWZd6PgzEg1XtxuTUx3JU5TWrpQ4552-OEFieT0uOvRQdbeh4yAgAtiKcipVB3cGgo" \
	"RXtiDSwJfyqtWaxJeufl98qgGO6THkwGMjCGqqECPSD_9iIEsHyKR0O37_Bcot-k\""
#define P256_X "yC15KtDp_6j5fHbG2UjF0z3R2avjPr_yyyaSk5PB6JM"
#define P256_Y "JjRzGe8MYagCt5wWcAKoEdR7tUvVROJBkjlykTs9i2Y"
#define P256 "\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" P256_X "\",\"y\":\"" P256_Y "\""
#define P256_PRIVATE \
	",\"d\":\"SvMMdovkdSQlu0uwRqQrG6IaogSEX5DWNqR0Z6f7aTo\""
#define P384 \
	"\"kty\":\"EC\",\"crv\":\"P-384\",\"x\":\"oxPPFGSNtdSo3ioQ43GgbCsABYUlJK0PRG4vhaE_XtgqvZTaOgWnpA3BGCV" \
	"gIvsG\",\"y\":\"rXWBlH6gcOQSUwxKTevw_vznZxusKaRgxol2neETE92-H73tpDwaDkRs_fRSED0l\""
#define P384_PRIVATE \
	",\"d\":\"BpxwgwjZGCw5pRv-ylsYhdu3m732341mH1a3g4SyU9pHjNSpv1x0hcGDFSb5vpb3\""
#define P521 \
	"\"kty\":\"EC\",\"crv\":\"P-521\",\"x\":\"AbNRz4PgQUT5pkUDiP7nnLPdWfrmNpk-oxe2A6u3khIIlfERir-MLJ4Fdlt" \
	"2PtryyHZKwC8D4IJBu3Q30aNBkzQC\",\"y\":\"AU-9xXPdVQWJjAnbHw31zn6LCE-KVYBA2IB7wY96h02qijRxE1M3yQI04Jh9" \
	"aeIUdwHcEVWBlo3-8mqlPWOz5aDM\""
#define P521_PRIVATE \
	",\"d\":\"ATvweBaHUB1ZwZuLQP32C5YMNfjfea-u9E8SihsUQOmbvLw-xiuXVmOqR9JvLRSL4VL2uhjDNAA01BbP_DB1W_UD\""
#define ED25519 \
	"\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"Ppp0Hxu0eMxtrWio4z7xLsGsD8qKBmtGYgwtKA4IV-g\""
#define ED25519_PRIVATE \
	",\"d\":\"vxByfbNffkWpI4q2ktgwDauYyDoXRHZPqH9rhgAs7ts\""
/* A good point, of a curve that is not on offer. */
#define SECP256K1 \
	"\"kty\":\"EC\",\"crv\":\"secp256k1\",\"x\":\"eb5mfvncu6xVoGKVzocLBwKb_NstzijZWfKBWxb4F5g\"," \
	"\"y\":\"SDradyajxGVdpPv8DhEIqP0XtEimhVQZnEfQj_sQ1Lg\""

#endif
