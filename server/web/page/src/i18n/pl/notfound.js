export default {
  title: "Nie ma takiej strony",
  text: "Pod adresem {path} nic nie ma. Adres mógł zostać wpisany z błędem.",
  records: "Identyfikatory rekordów nie zmieniają się i nie są używane ponownie: rekord, który wycofano, ma nadal swoją stronę z historią.",
  where: "Dokąd dalej",
  overview: "Przegląd kraju",
  entities: "Wyszukiwarka jednostek",
  changes: "Ostatnie zmiany",
};
