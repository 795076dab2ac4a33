/* The table of regions: read with region_at(), whose order it has. */
#include "api/facts.h"

#include <stddef.h>

/* seat of the assembly, name and short name of the office, ISO 3166-2, column and row of the tile
 */
static const struct region_facts facts[REGION_COUNT] = {
	{"Wrocław", "Dolnośląski Ośrodek Polityki Społecznej", "DOPS", "PL-02", 0, 2},
	{"Toruń", "Regionalny Ośrodek Polityki Społecznej w Toruniu", "ROPS Toruń", "PL-04", 2, 1},
	{"Lublin", "Regionalny Ośrodek Polityki Społecznej w Lublinie", "ROPS Lublin", "PL-06", 4,
	 2},
	{"Zielona Góra", "Regionalny Ośrodek Polityki Społecznej w Zielonej Górze",
	 "ROPS Zielona Góra", "PL-08", 0, 1},
	{"Łódź", "Regionalne Centrum Polityki Społecznej w Łodzi", "RCPS Łódź", "PL-10", 2, 2},
	{"Kraków", "Regionalny Ośrodek Polityki Społecznej w Krakowie", "ROPS Kraków", "PL-12", 3,
	 3},
	{"Warszawa", "Mazowieckie Centrum Polityki Społecznej", "MCPS", "PL-14", 3, 1},
	{"Opole", "Regionalny Ośrodek Polityki Społecznej w Opolu", "ROPS Opole", "PL-16", 1, 2},
	{"Rzeszów", "Regionalny Ośrodek Polityki Społecznej w Rzeszowie", "ROPS Rzeszów", "PL-18",
	 4, 3},
	{"Białystok", "Regionalny Ośrodek Polityki Społecznej w Białymstoku", "ROPS Białystok",
	 "PL-20", 4, 1},
	{"Gdańsk",
	 "Regionalny Ośrodek Polityki Społecznej Urzędu Marszałkowskiego Województwa Pomorskiego",
	 "ROPS Gdańsk", "PL-22", 2, 0},
	{"Katowice", "Regionalny Ośrodek Polityki Społecznej Województwa Śląskiego",
	 "ROPS Katowice", "PL-24", 2, 3},
	{"Kielce",
	 "Regionalny Ośrodek Polityki Społecznej Urzędu Marszałkowskiego Województwa "
	 "Świętokrzyskiego",
	 "ROPS Kielce", "PL-26", 3, 2},
	{"Olsztyn",
	 "Regionalny Ośrodek Polityki Społecznej Urzędu Marszałkowskiego Województwa "
	 "Warmińsko-Mazurskiego",
	 "ROPS Olsztyn", "PL-28", 3, 0},
	{"Poznań", "Regionalny Ośrodek Polityki Społecznej w Poznaniu", "ROPS Poznań", "PL-30", 1,
	 1},
	{"Szczecin",
	 "Regionalny Ośrodek Polityki Społecznej Urzędu Marszałkowskiego Województwa "
	 "Zachodniopomorskiego",
	 "ROPS Szczecin", "PL-32", 1, 0},
	{"Warszawa", "", "", "PL", -1, -1},
};

const struct region_facts *region_facts(int i)
{
	return i >= 0 && i < REGION_COUNT ? &facts[i] : NULL;
}
