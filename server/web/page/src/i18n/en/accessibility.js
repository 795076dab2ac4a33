export default {
  title: "Accessibility statement",
  commits: "is committed to making its",
  scope: "website",
  act:
    "accessible, as the Polish act of 4 April 2019 on the digital accessibility of websites and mobile applications of public sector bodies asks.",
  about: "This statement is about the website",
  site_published: "Website published",
  site_updated: "Last substantial update",
  blank: "to be filled in by the administrator ({key})",
  blanks:
    "This statement is not complete yet. What is marked “to be filled in” is set by the administrator in the section [site] of splot-web's configuration.",

  state: "State of digital accessibility",
  state_before: "This website is",
  "state.full": "fully compliant",
  "state.partial": "partially compliant",
  "state.none": "not compliant",
  state_after:
    "with the annex to the act of 4 April 2019 on the digital accessibility of websites and mobile applications of public sector bodies (WCAG 2.1, levels A and AA).",

  not: "Content that is not accessible",
  "not.annex": "Not compliant with the annex",
  "not.burden": "Disproportionate burden",
  "not.exempt": "Content that the act does not cover",

  made: "Preparation and review of this statement",
  "made.at": "Statement prepared on",
  "made.reviewed": "Statement last reviewed on",
  "made.self": "The statement is based on the public body's own assessment.",
  "made.audit": "The statement is based on an assessment carried out by:",
  "made.report": "Report of the assessment",
  "made.basis": "The statement is based on:",

  eases: "What makes this page easier to use",
  "eases.map":
    "The map and the tiles of the regions have a table as their twin; every number is text, and a state is always named by a word, never by colour alone.",
  "eases.zoom":
    "The page works at a width of 320 pixels and at a zoom of 400% without sideways scrolling; wide tables scroll within their own area.",
  "eases.scheme": "Light or dark colours and reduced motion follow the settings of the system.",
  "eases.live": "The page refreshes itself when the register changes. The button “Pause” at the top of each page stops that; on the page of changes it is above the list.",
  "eases.data": "All data can be downloaded as CSV and JSON.",

  keys: "Keyboard shortcuts",
  "keys.text":
    "The browser's usual shortcuts work. The page has no single-letter shortcuts of its own. The first press of Tab on each page shows a link that skips the navigation; menu, filters, table headers and buttons are reached by Tab and work with Enter or Space.",

  contact: "Feedback and contact",
  "contact.to": "Remarks and requests about the accessibility of this website are taken by:",
  "contact.email": "e-mail:",
  "contact.phone": "telephone:",
  "contact.right":
    "Everyone may ask for this website or a part of it to be made accessible, or for the information in another form. The request should say:",
  "contact.need.who": "your name and how to reach you (for example an e-mail address or telephone number),",
  "contact.need.where": "the address of the page with what is not accessible,",
  "contact.need.what": "what the difficulty is, and which remedy would suit you best.",
  "contact.when":
    "We answer without undue delay, within 7 days at the latest. If that is not possible, we give within that time the reason and a new date, no later than 2 months after the request. If accessibility cannot be provided, we offer another way to the information.",

  procedure: "Requests and complaints",
  "procedure.when":
    "A refusal, the other way that was offered, and a missed date can be complained about. Complaints are taken by the management of the body:",
  "procedure.address": "address:",
  "procedure.ombudsman": "One may also turn to the",
  "procedure.ombudsman_link": "Commissioner for Human Rights",

  other: "Other information",
  architecture: "Accessibility of the building",
  communication: "Accessibility of communication",
  apps: "Mobile applications",
  "apps.text": "This website has no mobile application.",
};
