/* SPDX-License-Identifier: Apache-2.0 */
/* One signature for each algorithm of public keys, which must hold for its text
 * and for no other. The first use of an algorithm makes OpenSSL look for it; that
 * happens here, before the first request that may need it. tests/data/make_known_answers.py made
 * the table. */
#include "base/codec.h"
#include "token/key_internal.h"
#include "token/thread.h"

enum { ANSWERS_MAX = 6 };

static const struct known_key {
	const char *jwk;
	struct {
		const char *algorithm, *signature;
	} answers[ANSWERS_MAX];
} keys[] = {
	{"{\"kty\":\"RSA\",\"n\":\"6MytGf7JUSlbNq6PK99CS7nbc-dz9LgkLHhupgozSXuh5zpTA7Fm8XFOYckPIId"
	 "pVy3W-f4-stnvfPMcsDHJPXzUJI3pJVNfrql7I84PytqMYZXgbR6A5BwNnJcq8bf5nk9DdKFhDNyuBeO28CKya5e"
	 "BDAQRKqIMhOzWmAbuNgOz5npqbFsoCiIM-F1WapAa3lai4OZC4pm0WvItzqjA859qU7f6BYQNbgI2tJ2NISAH0M7"
	 "aA9EuwVy-LvInN5y8MqzMNqtuqPZvZYRD1mE_MzyP9jUSZn5Q703XsJwLnjC3vZKaGrb0C3QxdP5eUPwezPwlEo9"
	 "doAwW2WZtbUKPrw\",\"e\":\"AQAB\"}", {
		{"RS256", "SYe9kGeQSTgnbbBF8Uzipwv7EAjH3krSGCZY66JsfGS8ryHkRQlCtbCRCFcgXJDEnv9FSWvkY8RgsUpsV6idsU9n"
			 "hNMd9x6XI6U4rGUfWNYcMcuHMfFkF2IIB12AknOa7bXcxoIT3zdgftGVgueE8nXKUJxI4b1jOe8u1nZojlnzxDaT"
			 "v8Y_UcM02RWdIj5fTMm6QILW8fMvx8EAsJ4zQkJ-wx8EDSR9vGd2_QBrUryq-eZ0ry-yfj1siOR50OIP0DPl6VKm"
			 "VKEKXw0zBllnP07_fe9aaMk2jbJ0Xq6JMjmlSQr-DNlD9QOiLv-jpCCIBJZ51diMpKYyQt8_pLVBCQ"},
		{"PS256", "sUAQ9SPxePmsi9OFB7udeer0Difr3cM-jUvoT8FVlpls9gS5t8eU03ddJxKuNT_IXZMCA2J3s8XlA1MRT2l-xCq9"
			 "zZVjugm0W6a38mkE1Ybbayeif1zUPpZHSyFrWfRQWscxYTwSpsNyyAT7FM39dRGZnka60406Ht_Lya3x63HITZIk"
			 "DzcBkd3RsvhGsqb-kV3nlBIh8w4AmxwxqeatEHPyjBx4snnGw9Gy6l-sHecauFDesMv5hJkZO22VjVx4B3Lmo2N5"
			 "q81dcsHf5CLYSP_P0mAoXkYpeuW0oWZCQkZuu7Ia-cdocgLVi4_e4SZU9YyWECMS43cHwVMy2hzc8A"},
		{"RS384", "erkcYEFKzWnmLHA45FfM7KvdAVsgO6iUo915ShEzE2cjmQwWZMOWXwvUXZlhf-13P7TrUk0SdpvTwf6ZfAJtQbjq"
			 "5RjEjhWYiD08Us4JpzFXRwnOrZ52a4Vbg2mp_oq6FcakddIG9NP6K2xm2HbUfEvapg0sPIsDajU_voK73z5dSMXl"
			 "k6czLQACw_ZE0sziH7vQwi8WECm1IK90E8ALXJOLRBm00NAH5J2YD3zbVvL0KnpQVgz1GGFGFrqokyLgVDA27JVr"
			 "VwaxRpQ1ePK0hIECuYCM2l8T-XvhZE33gsOsErXe0B3pqO3r2bUO5w7kNK7lfr-go6maEY1-ZL-Uhg"},
		{"PS384", "QPtoIFLNFPchRck7uR1OKdDKfOEIbQRZJ4NONhLTiq-mRAzvym7vRttNoBH9aGMlbGNqOy9kKWdoHOkw9q-ObpiG"
			 "sVWE77f6cJFieYSCAFvCaXB4BrwOMuZ_pINMW3N57hp8v-OVpWe8Ob6f3CUrT4KWCb6a55kpCt2MKTHTejkO6NXJ"
			 "ofOje6yJVACpCDz_8EtC3igeGx4jUPqWbGLIaXCbbwWx78yfjazTHm3QVmqrLGUpYmpQFo2CZ493aH5nyM2CAEB4"
			 "geONOsRZXTsveNmED6TdzoI0EG_kk17eJ4qUVNQXkSugxG7O0iVzI5x4kTidSVKMYLvf00xnbUpVpQ"},
		{"RS512", "YWVqenRZvs2S35b3-Dzb7HOo6G_CCmbjrXKP8hsExsEEKKjsFrY7tw7_j8YZ4Q-d8nsJvDyl1nMJ-UuYNuZay-ji"
			 "pB5p4cxRPqks5RVxIQTAS5Nkm8UCISkkf-rnGl0HTuVbEjfkAqoCskWYo67bb7i8XRotaF1kA_xRhsR5Hw3kprkF"
			 "MBQZkVpvUrmfF0C_lmwo1wMdAKgs1M6MOMHDPwCyhwby6kGf33imcefh2OzmmJqtQgP8OCHzdgsYh57i1jZwWPKf"
			 "R0zOY7jCCH2L2mVkVFVipBFk1dofzPbXdLPNSxGKORewnR_WYSBbRs-ocxWSbizJDyTAX-1RhEzzeA"},
		{"PS512", "Ax81jEvn3pFBmvn5hg6F-TaqsNDqOdHpvcpvd8bkTV-0C_gYroePRE44mPhGBZbUyqE1_QR6dqA7RjC94epnzqkq"
			 "hL9K3gGyZNjJigaf3NefcLSSE-uPx3k8vbT7fik5cdcRAS075GTY2JIT91ElDwqw1ZTz_dLKGhC5zoV5L6fySzY2"
			 "E_sIYLLBO6vmfgZGkk2IBxAnF8a0TE27ISL4y9KYuXXTnui1SW9lA01dgj2YnuNXABm5pxUhiPk1c4RVQ5UqYl6V"
			 "qb6BZp4Z8JxSpPClDKaQnWY-0zBFcXe82r9D32eutDUvJMDkNRbmHpO4JJ_3mLlwZR0aETIM_AoyaA"},
	}},
	{"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"U4pTiizDq0GA8qWhi1W_F7aP9w998YeT_Ida8v5n60c\","
	 "\"y\":\"NdqAa0Cc2R6TmIlQPYZiOy_GBcp3rsw80ZL0_MrCet0\"}", {
		{"ES256", "_LEZ_s5i7K1-FnpKddh-29w9BD1JRd-j6TrsY4I9DfQZExJ41BQkGenLkgk32cKoiC0TF_Osw8sD9QQd7yg8eA"},
	}},
	{"{\"kty\":\"EC\",\"crv\":\"P-384\",\"x\":\"nDApdQArJ5XDeWBeWKF9VNewXSiBEeYAS4uD18dn7Mqykj"
	 "dp2KJB97n3xXp3Qfgx\",\"y\":\"c0rKjPwnTDfMygTG8gDZm7q1Csv4kVTGxtwEhRwbXgBlKINGZtGFE9ETXVy"
	 "5zI3o\"}", {
		{"ES384", "oRD2ZoIkC0hcuv9NfcGlUj7VoPKEVW-kYBEtxOcJjnBrrF3YRA9fRZ0b5vjSVYTl7l_8z9ZcOMS1z0QWttVDCg3M"
			 "kvh3dEitg4C5Ve6uolpAOnhOOUsH5zecdECjufbR"},
	}},
	{"{\"kty\":\"EC\",\"crv\":\"P-521\",\"x\":\"AZsghGG-yIZNT_VqY_88z8nVV8QmskFhq7kibEmBKuEzG2"
	 "UIfUTy1YQwO28Wpl0abxudulvqJhmNUBLYg7XZlemd\",\"y\":\"AcZBmROn4Xxa9a49Q3rXTYJlNIjmwmdjcin"
	 "3SfHjf2PMhXZAFHEnTUz5z4BJy5lNcfCs9CguFojeKBULW2F4eRZ7\"}", {
		{"ES512", "ATneZ2JhUVjAkGv0esUCcgj77S7buHI62kHks_PXeLvSeIUfrWu1EtbGUZWNhH6KGK4KQEnsGKVzXVnHu4xKYTtu"
			 "AVZ3Zpn3nf5bfL0AhO6fOT_X1XmxNYf_zhGysPcDP_jDGsJV9_YQy_11qEne4TXu2zLCrzKwUfNkXo1l-ihsAieA"},
	}},
	{"{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"mU117eHYju0VD_O-siOqRBuEh1nNfRkXay4v8Vs_kWs"
	 "\"}", {
		{"EdDSA", "4OrFc1hcMCPQtODwHtwh4W-a9MLLdCq7XajDPOOKgHkrfN26b2uuMmaXgwGYwFTKIpp_IkAgMmi_b55BUgoJCg"},
	}},
};

static bool is_known(const struct key_set *set, struct str text, struct str base64url, bool want)
{
	unsigned char signature[KEY_SIGNATURE_MAX];
	size_t n;
	bool is_good;
	return base64url_decode(base64url, signature, &n) &&
	       key_public_verify(set->keys[0], NULL, text, (struct str){(char *)signature, n}, &is_good) &&
	       is_good == want;
}

static bool holds(const struct known_key *known, size_t i)
{
	char memory[256];
	struct buf why = buf_over(memory, sizeof memory);
	struct key_set set = {.n = 0};
	struct algorithm_set one = {0};
	struct str signature = str_of(known->answers[i].signature);
	const struct algorithm *algorithm = algorithm_find(str_of(known->answers[i].algorithm), ALGORITHM_ALL);
	algorithm_add(&one, algorithm);
	bool good = key_set_add_public(&set, one, str_of(known->jwk), &why) &&
		    is_known(&set, STR("known answer"), signature, true);
	/* P-384 and P-521 take a millisecond each, and P-256 has gone the same way. */
	if (good && algorithm->signature_size <= 64)
		good = is_known(&set, STR("known question"), signature, false);
	key_set_close(&set);
	return good;
}

bool algorithm_works(const struct algorithm *algorithm)
{
	for (size_t k = 0; k < sizeof keys / sizeof keys[0]; k++)
		for (size_t i = 0; i < ANSWERS_MAX && keys[k].answers[i].algorithm; i++)
			if (algorithm_is_same(algorithm, algorithm_find(str_of(keys[k].answers[i].algorithm),
									ALGORITHM_ALL)))
				return holds(&keys[k], i);
	return algorithm->family == KEY_HMAC;
}
