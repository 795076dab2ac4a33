#include "model/validate.h"

#include "model_support.h"

#include <stdio.h>

/* No number that could be somebody's is written here: those that must be refused are made at
 * run time of obviously invented digits. */

/* Adds the check digit to ten invented digits. */
static void pesel_of(const char *ten, char out[static 12])
{
	static const unsigned weights[] = {1, 3, 7, 9, 1, 3, 7, 9, 1, 3};
	unsigned sum = 0;

	for (size_t i = 0; i < 10; i++)
		sum += (unsigned)(ten[i] - '0') * weights[i];
	(void)snprintf(out, 12, "%s%u", ten, (10 - sum % 10) % 10);
}

static void expect(const char *text, bool personal)
{
	if (looks_personal(bytes_of_text(text)) != personal)
		fail_msg("\"%s\" %s", text, personal ? "was let through" : "was refused");
}

static void put_in(const char *before, const char *number, const char *after, char text[static 64])
{
	(void)snprintf(text, 64, "%s%s%s", before, number, after);
}

static void a_pesel_is_a_date_and_a_check_digit(void **state)
{
	static const char *const invented[] = {"0001010000", "0021010000", "0081010000",
					       "0002290000"};
	char pesel[12];
	char text[64];

	(void)state;
	pesel_of("0001010000", pesel);
	put_in("PESEL: ", pesel, ".", text);
	expect(text, true);
	put_in("pesel", pesel, "", text);
	expect(text, true);
	for (size_t i = 0; i < sizeof invented / sizeof invented[0]; i++) {
		pesel_of(invented[i], pesel); /* of three centuries */
		expect(pesel, true);
	}
	pesel_of("0001010000", pesel);
	pesel[10] = (char)(pesel[10] == '9' ? '0' : pesel[10] + 1); /* another check digit */
	expect(pesel, false);
	pesel_of("0013010000", pesel); /* month 13 */
	expect(pesel, false);
	pesel_of("0001320000", pesel); /* day 32 */
	expect(pesel, false);
	pesel_of("0001010000", pesel);
	put_in("", pesel, "1", text); /* twelve digits */
	expect(text, false);
	put_in("000_", pesel, ".txt", text); /* inside a file's name */
	expect(text, false);
	(void)snprintf(text, sizeof text, "%.6s %s", pesel, pesel + 6);
	expect(text, true);
	(void)snprintf(text, sizeof text, "%.2s %.2s %.2s %s", pesel, pesel + 2, pesel + 4,
		       pesel + 6);
	expect(text, true);
}

static void mobile_numbers_are_found_in_every_usual_spelling(void **state)
{
	static const char *const before[] = {"",   "+48 ",   "+48",   "0048",
					     "48", "(+48) ", "tel. ", "tel.:"};
	static const char *const forms[] = {"%.3s%.3s%.3s", "%.3s %.3s %.3s", "%.3s-%.3s-%.3s",
					    "%.3s.%.3s.%.3s", "%.3s\xc2\xa0%.3s\xc2\xa0%.3s"};
	static const char digits[] = "600"
				     "123"
				     "456"; /* invented */
	char text[64];

	(void)state;
	for (size_t b = 0; b < sizeof before / sizeof before[0]; b++) {
		for (size_t f = 0; f < sizeof forms / sizeof forms[0]; f++) {
			size_t size = (size_t)snprintf(text, sizeof text, "%s", before[b]);
			const char *mark = forms[f] + 4; /* what stands between the groups */
			size_t width = strcspn(mark, "%");

			(void)snprintf(text + size, sizeof text - size, "%.3s%.*s%.3s%.*s%.3s",
				       digits, (int)width, mark, digits + 3, (int)width, mark,
				       digits + 6);
			expect(text, true);
		}
	}
	(void)snprintf(text, sizeof text, "%.3s %.2s %.2s %.2s", digits, digits + 3, digits + 5,
		       digits + 7);
	expect(text, true);
	(void)snprintf(text, sizeof text, "%.2s %.3s %.2s %.2s", digits, digits + 2, digits + 5,
		       digits + 7);
	expect(text, true);
	(void)snprintf(text, sizeof text, "%.3s  %.3s  %.3s", digits, digits + 3, digits + 6);
	expect(text, true);
	(void)snprintf(text, sizeof text, "(%.3s) %.3s-%.3s", digits, digits + 3, digits + 6);
	expect(text, true);
	(void)snprintf(text, sizeof text, "+48 (%.3s) %.3s %.3s", digits, digits + 3, digits + 6);
	expect(text, true);
	(void)snprintf(text, sizeof text, "(%.3s)%.6s", digits, digits + 3);
	expect(text, true);
	(void)snprintf(text, sizeof text, "(%.3s) %.3s %.3s zł", digits, digits + 3, digits + 6);
	expect(text, false);
	(void)snprintf(text, sizeof text, "biuro 41 342 00 00, kom. %.3s %.6s", digits, digits + 3);
	expect(text, true);
}

static void private_mailboxes_are_found(void **state)
{
	static const char *const domains[] = {"gmail.com",  "wp.pl",          "o2.pl", "onet.pl",
					      "interia.pl", "poczta.onet.pl", "OP.PL", "proton.me"};
	char text[64];

	(void)state;
	for (size_t i = 0; i < sizeof domains / sizeof domains[0]; i++) {
		(void)snprintf(text, sizeof text, "pisz: %s@%s.", "ktos", domains[i]);
		expect(text, true);
		(void)snprintf(text, sizeof text, "%s @ %s", "ktos", domains[i]);
		expect(text, true);
	}
}

static void what_the_register_is_full_of_is_no_personal_data(void **state)
{
	static const char *const texts[] = {
		"",
		"kontakt@rops-katowice.pl, sekretariat@umkielce.eu",
		"kis@not"
		"gmail.com i kis@"
		"gmail.com.example",
		"@wp.pl",
		"000_3eb32ffc4be20968.txt",
		"001_bbe09a2503f91b06.txt;004_72634142d64987e1.txt",
		"st-26-2019-07-04-kis-network-members-sires",
		"od 2019-05-01 do 2019-06-18, wpis 4.06.2019",
		"2604172; 2661011; powiat 2604",
		"REGON 600000008, NIP 525-100-88-75, KRS 0000012345",
		"REGON: 601234567",
		"tel. 41 342 00 00, (41) 342-00-00, 22 695 00 00",
		"budżet 600 000 000 zł, 515 230 000 PLN, 512345678,50 zł",
		"POWR.02.05.00-00-0114/17",
		"Dz.U. 2022 poz. 218, art. 18a ust. 1-2",
		"89 absolwentów, 45% z nich; 1045 osób od 2010-05-01",
		"00-000 Warszawa, ul. Floriańska 3/5",
		"12 1020 0000 0000 0000 0000 0000",
		"600 123 456 789",
		"60600.00",
	};

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
		expect(texts[i], false);
}

static void any_bytes_may_be_asked_about(void **state)
{
	uint64_t random = test_seed();

	(void)state;
	for (int i = 0; i < 20000; i++) {
		static const char alphabet[] = "0123456789 -.@/zwp\xc2\xa0_";
		size_t size = (size_t)(next_random(&random) % 24);
		uint8_t *block = malloc(size ? size : 1);

		assert_non_null(block);
		for (size_t k = 0; k < size; k++)
			block[k] = (uint8_t)alphabet[next_random(&random) % (sizeof alphabet)];
		(void)looks_personal(bytes_of(block, size));
		free(block);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_pesel_is_a_date_and_a_check_digit),
		cmocka_unit_test(mobile_numbers_are_found_in_every_usual_spelling),
		cmocka_unit_test(private_mailboxes_are_found),
		cmocka_unit_test(what_the_register_is_full_of_is_no_personal_data),
		cmocka_unit_test(any_bytes_may_be_asked_about),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
