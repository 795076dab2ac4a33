"""The counts of the national view, counted anew from the rows of the five files, by the
definitions of the register's expectations.  What those leave open is decided here as in
splotctl(1): a membership counts in the region that its network's id names."""
import collections

REGIONS = ["%02d" % i for i in range(2, 33, 2)]
KINDS = ["CIS", "KIS", "WTZ", "ZAZ"]
COUNTED = """operator_id powiat gmina street postcode created_on started_on registered_on
participants_per_year_min participants_total""".split()


def region_of(network_id):
    return network_id[2:4] if network_id[2].isdigit() else "PL"


def entities(rows, count):
    for row in rows:
        for region in (row["region"], "PL"):
            count["entities", region, row["kind"], ""] += 1
            count["entities", region, "", ""] += 1
            count["entities_by_operator_sector", region, "", row["operator_sector"] or "unknown"] += 1
        for kind in (row["kind"], ""):
            count["entities_by_operator_form", "PL", kind, row["operator_form"] or "unknown"] += 1
        count["entities_by_status", "PL", "", row["status"]] += 1
        for field in COUNTED:
            count["entities_with_field", "PL", "", field] += bool(row[field])


def networks(rows, count):
    for row in rows:
        national = row["region"] == "PL"
        count["networks", row["region"], "", "national_scope" if national else "of_this_region"] += 1
        count["networks", "PL", "", "all"] += 1
        count["networks_by_form", "PL", "", row["form"]] += 1
        count["networks_by_status", "PL", "", row["status"] or "unknown"] += 1


def memberships(rows, entity_rows, count):
    regional = set()
    for row in rows:
        region = region_of(row["network_id"])
        count["memberships", "PL", "", "all"] += 1
        count["memberships_by_certainty", "PL", "", row["certainty"]] += 1
        count["memberships_by_network", region, "", row["network_id"]] += 1
        if row["entity_id"] and region != "PL":
            regional.add(row["entity_id"])
    count["entities_in_a_regional_network", "PL", "", ""] = len(regional)
    for row in entity_rows:
        if row["id"] in regional and row["kind"] in ("CIS", "KIS"):
            count["entities_in_a_regional_network", row["region"], row["kind"], ""] += 1


def statistics(rows, count):
    claims = collections.defaultdict(set)
    for row in rows:
        count["statistics", "PL", "", "all"] += 1
        claims[row["region"], row["kind"], row["measure"]].add((row["reported_by"], row["value"]))
    for (region, _, measure), said in claims.items():
        if measure == "active_count" and region != "PL":
            count["statistics_in_conflict", region, "", measure] += (
                len({by for by, _ in said}) > 1 and len({value for _, value in said}) > 1)


def recount(rows):
    """{(metric, region, kind, key): value} without the zeros; rows by file name."""
    count = collections.Counter()
    entities(rows["entities"], count)
    networks(rows["networks"], count)
    memberships(rows["memberships"], rows["entities"], count)
    statistics(rows["statistics"], count)
    count["operators", "PL", "", "all"] = len(rows["operators"])
    return {key: value for key, value in count.items() if value}
