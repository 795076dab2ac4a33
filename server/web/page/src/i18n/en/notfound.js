export default {
  title: "There is no such page",
  text: "Nothing is at {path}. The address may be mistyped.",
  records: "Ids of records never change and are never used again: a record that has ended still has its page, with its history.",
  where: "Where to go",
  overview: "Overview of the country",
  entities: "Search of entities",
  changes: "Latest changes",
};
