// Deklaracja dostępności: the wording follows the act of 4 April 2019 and the ministry's conditions (version 2.0).
export default {
  title: "Deklaracja dostępności",
  commits: "zobowiązuje się zapewnić dostępność cyfrową swojej",
  scope: "strony internetowej",
  act:
    "zgodnie z przepisami ustawy z dnia 4 kwietnia 2019 r. o dostępności cyfrowej stron internetowych i aplikacji mobilnych podmiotów publicznych.",
  about: "Deklaracja dotyczy strony internetowej",
  site_published: "Data publikacji strony internetowej",
  site_updated: "Data ostatniej istotnej aktualizacji",
  blank: "do uzupełnienia przez administratora ({key})",
  blanks:
    "Ta deklaracja nie jest jeszcze kompletna. Miejsca oznaczone jako „do uzupełnienia” wypełnia administrator w sekcji [site] konfiguracji programu splot-web.",

  state: "Stan dostępności cyfrowej",
  state_before: "Ta strona internetowa jest",
  "state.full": "w pełni zgodna",
  "state.partial": "częściowo zgodna",
  "state.none": "niezgodna",
  state_after:
    "z załącznikiem do ustawy z dnia 4 kwietnia 2019 r. o dostępności cyfrowej stron internetowych i aplikacji mobilnych podmiotów publicznych (wytyczne WCAG 2.1, poziom A i AA).",

  not: "Niedostępne treści",
  "not.annex": "Niezgodność z załącznikiem",
  "not.burden": "Nadmierne koszty",
  "not.exempt": "Treści nieobjęte przepisami",

  made: "Przygotowanie deklaracji i jej aktualizacja",
  "made.at": "Data sporządzenia deklaracji",
  "made.reviewed": "Data ostatniego przeglądu deklaracji",
  "made.self": "Deklarację sporządzono na podstawie samooceny podmiotu publicznego.",
  "made.audit": "Deklarację sporządzono na podstawie badania, które przeprowadził podmiot:",
  "made.report": "Raport z badania",
  "made.basis": "Podstawa sporządzenia deklaracji:",

  eases: "Udogodnienia",
  "eases.map":
    "Mapa i kafle województw mają bliźniaczą tabelę; każda liczba jest tekstem, a stan jest zawsze nazwany słowem, nie samym kolorem.",
  "eases.zoom":
    "Strona działa przy szerokości 320 pikseli i przy powiększeniu do 400% bez przewijania w bok; szerokie tabele przewijają się we własnym obszarze.",
  "eases.scheme": "Jasne i ciemne kolory oraz ograniczenie ruchu są brane z ustawień systemu.",
  "eases.live": "Strona odświeża się sama, gdy rejestr się zmienia. Można to wstrzymać przyciskiem „Wstrzymaj” u góry każdej strony, a na stronie zmian nad listą.",
  "eases.data": "Wszystkie dane można pobrać jako CSV i JSON.",

  keys: "Skróty klawiszowe",
  "keys.text":
    "Można używać standardowych skrótów klawiszowych przeglądarki. Strona nie ma własnych skrótów jednoliterowych. Pierwszy klawisz Tab na każdej stronie pokazuje odnośnik, który omija nawigację; pozycje menu, filtry, nagłówki tabel i przyciski są osiągalne klawiszem Tab, a działają po naciśnięciu Enter lub spacji.",

  contact: "Informacje zwrotne i dane kontaktowe",
  "contact.to": "Uwagi i wnioski dotyczące dostępności cyfrowej tej strony przyjmuje:",
  "contact.email": "e-mail:",
  "contact.phone": "telefon:",
  "contact.right":
    "Każdy może wystąpić z żądaniem zapewnienia dostępności cyfrowej tej strony lub jej elementu albo udostępnienia informacji w alternatywny sposób. W żądaniu należy podać:",
  "contact.need.who": "imię i nazwisko oraz dane kontaktowe (np. e-mail lub telefon),",
  "contact.need.where": "adres strony, na której jest niedostępna treść lub element,",
  "contact.need.what": "na czym polega trudność i jaki sposób jej usunięcia byłby najwygodniejszy.",
  "contact.when":
    "Odpowiadamy bez zbędnej zwłoki, najpóźniej w ciągu 7 dni od dnia wystąpienia. Jeżeli to niemożliwe, w tym czasie podajemy powód i nowy termin, nie dłuższy niż 2 miesiące od dnia wystąpienia. Jeżeli zapewnienie dostępności cyfrowej jest niemożliwe, proponujemy alternatywny sposób dostępu.",

  procedure: "Obsługa wniosków i skarg związanych z dostępnością",
  "procedure.when":
    "Na odmowę zapewnienia dostępności, na proponowany alternatywny sposób dostępu i na niedotrzymanie terminu można złożyć skargę. Skargę przyjmuje kierownictwo podmiotu:",
  "procedure.address": "adres:",
  "procedure.ombudsman": "Można także zwrócić się do",
  "procedure.ombudsman_link": "Rzecznika Praw Obywatelskich",

  other: "Pozostałe informacje",
  architecture: "Dostępność architektoniczna",
  communication: "Dostępność informacyjno-komunikacyjna",
  apps: "Aplikacje mobilne",
  "apps.text": "Ta strona nie ma aplikacji mobilnej.",
};
