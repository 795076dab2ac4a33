// Changes of memberships by the names of who is a member of what, instead of two ids.
import { lookUp } from "./lookup.js";

// A new membership says whose it is; of another its id does, which is made of both.
function partiesOf(change) {
  const said = Object.fromEntries(change.diff.map(({ field, to }) => [field, to]));
  const [network, member] = change.id.split("--");
  return { network: said.network_id ?? network, member: said.entity_id ?? said.operator_id ?? member };
}

// Adds `parties` { network, member } where both are known.  Names only help: without them ids stay.
export async function nameMembers({ api, asOf }, changes) {
  const found = changes.filter(({ kind }) => kind === "membership").map((change) => ({ change, ...partiesOf(change) }));
  if (!found.length) return;
  const members = found.map(({ member }) => member);
  try {
    const [networks, entities, operators] = await Promise.all([
      lookUp({ api, asOf }, "networks", found.map(({ network }) => network)),
      lookUp({ api, asOf }, "entities", members),
      lookUp({ api, asOf }, "operators", members),
    ]);
    for (const { change, network, member } of found) {
      const names = { network: networks.get(network)?.name_pl, member: (entities.get(member) ?? operators.get(member))?.name };
      if (names.network && names.member) change.parties = names;
    }
  } catch {
    // the frame says when the server is gone
  }
}
