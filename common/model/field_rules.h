/* What the parts of the validation share: the list of faults with their texts, the rules of
 * single columns, those between columns, and the search for personal data.
 *
 * Layer: model, of use inside it only. */
#ifndef SPLOT_MODEL_FIELD_RULES_H
#define SPLOT_MODEL_FIELD_RULES_H

#include "model/validate.h"

/* X(NAME, "stable-code", "po polsku: co jest źle i co zrobić", "in English") */
#define FAULT_TABLE(X)                                                                             \
	X(REQUIRED, "required", "Brak wartości w kolumnie wymaganej: uzupełnij ją.",               \
	  "This column must not be empty: fill it in.")                                            \
	X(TOO_LONG, "too-long", "Tekst jest za długi: skróć go.",                                  \
	  "The text is too long: shorten it.")                                                     \
	X(ENCODING, "bad-encoding",                                                                \
	  "Znaki nie są zapisane w UTF-8: wskaż właściwe kodowanie pliku albo wpisz tekst "    \
	  "ponownie.",                                                                             \
	  "The characters are not UTF-8: name the file's encoding or type the text again.")        \
	X(REPLACEMENT, "replacement-character",                                                    \
	  "Tekst zawiera znak U+FFFD, czyli ślad utraconych liter: wpisz go ponownie.",            \
	  "The text holds U+FFFD, the trace of lost letters: type it again.")                      \
	X(CONTROL, "control-character",                                                            \
	  "Tekst zawiera znak sterujący (np. tabulator): usuń go. Dozwolone są tylko końce "   \
	  "wierszy.",                                                                              \
	  "The text holds a control character (such as a tab): remove it. Only line breaks may "   \
	  "stay.")                                                                                 \
	X(NOT_NFC, "not-nfc",                                                                      \
	  "Litery są zapisane z osobnymi znakami diakrytycznymi: zapisz tekst w postaci NFC.",     \
	  "Letters are written with separate accents: write the text in NFC form.")                \
	X(PERSONAL, "personal-data",                                                               \
	  "Wygląda na dane osobowe (PESEL, prywatna skrzynka albo numer komórkowy): usuń je, "  \
	  "w rejestrze nie ma na nie miejsca.",                                                    \
	  "This looks like personal data (a PESEL, a private mailbox or a mobile number): remove " \
	  "it, "                                                                                   \
	  "the register has no place for it.")                                                     \
	X(SPACE, "space-at-end", "Spacja na początku albo na końcu: usuń ją.",                     \
	  "A space at the start or the end: remove it.")                                           \
	X(ID, "bad-id",                                                                            \
	  "Identyfikator ma złą postać: tylko a-z, 0-9 i łącznik, np. pl26-kis-kielce.",           \
	  "The id is not well formed: only a-z, 0-9 and hyphens, such as pl26-kis-kielce.")        \
	X(ID_KIND, "id-kind",                                                                      \
	  "Identyfikator nie zgadza się z rodzajem rekordu: popraw jeden z nich.",                 \
	  "The id does not agree with the kind of the record: correct one of them.")               \
	X(ID_OWNER, "id-owner",                                                                    \
	  "Identyfikator wskazuje innego właściciela: ten rekord prowadzi jego region.",           \
	  "The id names another owner: that region keeps this record.")                            \
	X(ID_MISMATCH, "id-mismatch",                                                              \
	  "Rekord ma inny identyfikator niż jego zmiana: popraw jeden z nich.",                    \
	  "The record has another id than its change: correct one of them.")                       \
	X(ID_TWICE, "duplicate-id",                                                                \
	  "Ten sam identyfikator występuje więcej niż raz: zostaw jeden rekord.",                  \
	  "The same id occurs more than once: leave one record.")                                  \
	X(KIND, "unknown-kind", "Nieznany rodzaj rekordu: zaktualizuj program albo popraw dane.",  \
	  "A kind of record not known here: update the program or correct the data.")              \
	X(EMPTY, "no-changes", "Edycja nie zawiera żadnej zmiany.", "The edit holds no change.")   \
	X(ENUM, "bad-value", "Wartość spoza listy: wybierz jedną z dozwolonych.",                  \
	  "Not one of the allowed values: choose one of them.")                                    \
	X(LIST, "bad-list", "Lista ma pustą część albo spację przy średniku: zapisz jako a;b;c.",  \
	  "The list has an empty part, or a space beside a semicolon: write a;b;c.")               \
	X(REF, "bad-reference", "To nie jest identyfikator rekordu tego rodzaju: podaj właściwy.", \
	  "This is not the id of a record of that kind: give the right one.")                      \
	X(REGION, "bad-region",                                                                    \
	  "Nieznany region: podaj dwucyfrowy kod TERYT województwa (np. 02) albo PL.",             \
	  "No such region: give the two-digit TERYT code (such as 02) or PL.")                     \
	X(REGION_OWNER, "region-owner",                                                            \
	  "Region nie zgadza się z właścicielem identyfikatora: popraw jeden z nich.",             \
	  "The region does not agree with the owner that the id names: correct one of them.")      \
	X(DATE, "bad-date",                                                                        \
	  "To nie jest data: podaj rok, rok-miesiąc albo dzień, np. 2009, 2016-03, 2019-06-04.",   \
	  "This is not a date: give a year, a month or a day, such as 2009, 2016-03, 2019-06-04.") \
	X(BOOL, "bad-bool", "Dozwolone są tylko true i false.",                                    \
	  "Only true and false are allowed.")                                                      \
	X(UINT, "bad-number", "To nie jest liczba całkowita od 0 do 99999999: podaj same cyfry.",  \
	  "This is not a whole number from 0 to 99999999: give digits only.")                      \
	X(DECIMAL, "bad-decimal",                                                                  \
	  "To nie jest liczba: podaj cyfry, a ułamek po kropce, np. 49.0.",                        \
	  "This is not a number: give digits, and a fraction behind a point, such as 49.0.")       \
	X(POSTCODE, "bad-postcode", "Kod pocztowy ma postać 00-000.",                              \
	  "A postcode has the form 00-000.")                                                       \
	X(TERYT4, "bad-teryt",                                                                     \
	  "Kod TERYT powiatu ma cztery cyfry, a pierwsze dwie to województwo.",                    \
	  "The TERYT code of a powiat has four digits, the first two naming the region.")          \
	X(TERYT7, "bad-teryt", "Kod TERYT gminy ma siedem cyfr, a pierwsze dwie to województwo.",  \
	  "The TERYT code of a gmina has seven digits, the first two naming the region.")          \
	X(TERYT_UNKNOWN, "unknown-teryt",                                                          \
	  "Takiego kodu nie ma w tabeli TERC: sprawdź kod albo tabelę.",                           \
	  "The TERC table has no such code: check the code, or the table.")                        \
	X(TERYT_REGION, "teryt-region",                                                            \
	  "Kod TERYT leży w innym województwie niż rekord: popraw kod.",                           \
	  "The TERYT code lies in another region than the record: correct the code.")              \
	X(TERYT_POWIAT, "teryt-powiat",                                                            \
	  "Gmina leży w innym powiecie niż podany: popraw jeden z kodów.",                         \
	  "The gmina lies in another powiat than the one given: correct one of the codes.")        \
	X(KRS, "bad-krs", "Numer KRS ma dziesięć cyfr.", "A KRS number has ten digits.")           \
	X(NIP, "bad-nip", "NIP ma dziesięć cyfr i zgodną cyfrę kontrolną: sprawdź numer.",         \
	  "A NIP has ten digits and a check digit that agrees: check the number.")                 \
	X(REGON, "bad-regon", "REGON ma 9 albo 14 cyfr i zgodną cyfrę kontrolną: sprawdź numer.",  \
	  "A REGON has 9 or 14 digits and check digits that agree: check the number.")             \
	X(MEMBER_ONE, "member-one", "Podaj dokładnie jedno: jednostkę albo podmiot prowadzący.",   \
	  "Give exactly one of entity and operator.")                                              \
	X(MEMBER_ID, "member-id", "Identyfikator członkostwa to <sieć>--<członek>: popraw go.",    \
	  "The id of a membership is <network>--<member>: correct it.")                            \
	X(PAIR, "min-max-pair", "Podaj i minimum, i maksimum, albo żadnego.",                      \
	  "Give both minimum and maximum, or neither.")                                            \
	X(ORDER, "min-over-max", "Minimum jest większe niż maksimum: popraw jedno z nich.",        \
	  "The minimum is above the maximum: correct one of them.")                                \
	X(SECTOR, "sector-form", "Sektor nie zgadza się z formą: popraw jedno z nich.",            \
	  "The sector does not agree with the form: correct one of them.")

enum fault {
	FAULT_NONE,
#define FAULT_ENUM(name, code, pl, en) FAULT_##name,
	FAULT_TABLE(FAULT_ENUM)
#undef FAULT_ENUM
};

/* One validation under way. */
struct check {
	const struct record *record;
	int region;
	const struct terc *terc; /* NULL: only the format of TERYT codes is checked */
	size_t row;
	struct arena *arena;
	struct problems *problems;
	enum err err; /* NOMEM sticks */
};

/* `allowed`: values to name behind the text; "" for none. */
void check_report(struct check *c, const char *column, const char *value, enum fault fault,
		  const char *allowed);
void check_report_withheld(struct check *c, const char *column, enum fault fault);

/* Encoding, normal form, control characters, length. */
enum fault text_fault(const char *text, size_t bytes_max, enum err *ret_err);
/* What the column's type asks of a text that is not empty. */
enum fault field_fault(const struct field *field, const char *text);
/* [a-z][a-z0-9-]*, hyphens only between. */
bool id_well_formed(const char *id, bool membership);

/* The rules between columns. */
void check_relations(struct check *c);

/* The kind of what looks personal. */
enum personal { PERSONAL_NONE, PERSONAL_PESEL, PERSONAL_MAILBOX, PERSONAL_MOBILE };
enum personal personal_kind(struct bytes text);
/* For ids: numbers in one piece only, since hyphens join what is unrelated. */
enum personal personal_kind_of_id(struct bytes id);

/* Another reading of a date that is not valid as it stands; `to` has room for `size` >= 64
 * bytes and is written for REPAIR_DONE. */
enum repair repair_date(const char *given, char *to, size_t size);

#endif
