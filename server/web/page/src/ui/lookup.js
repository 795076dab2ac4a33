// Records by their ids, so that what points at them can be shown by their titles.
import { apiAddress } from "./query.js";

const AT_ONCE = 60; // ids in one question; the API takes 64
const IDS_MAX = 600;

// → Map of id → record; ids that nothing has are not in it
export async function lookUp(x, plural, ids) {
  const wanted = [...new Set(ids.filter(Boolean))].slice(0, IDS_MAX);
  const questions = [];
  for (let i = 0; i < wanted.length; i += AT_ONCE) {
    const values = wanted.slice(i, i + AT_ONCE);
    questions.push(x.api.follow(apiAddress(plural, [{ name: "id", values }], { limit: AT_ONCE }, x.asOf), x.signal));
  }
  const answers = await Promise.all(questions);
  return new Map(answers.flatMap(({ records }) => records.map((record) => [record.id, record])));
}
