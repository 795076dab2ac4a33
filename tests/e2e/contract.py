"""Answers of splot-web held against the description that it serves: its paths, parameters, answers,
headers and schemas."""
import gzip
import http.client
import json
import re
import urllib.parse

from jsonschema import Draft202012Validator

API = "/api/v1"


class Broken(AssertionError):
    """An answer that is not as described."""


class Contract:
    def __init__(self, document):
        self.document = document
        self.validators = {}
        self.seen = set()  # (path, status) that were checked

    # ---- the document itself ----

    def resolve(self, x):
        while "$ref" in x:
            at = self.document
            for part in x["$ref"].lstrip("#/").split("/"):
                at = at[part]
            x = at
        return x

    def check_document(self):
        Draft202012Validator.check_schema({"$defs": self.document["components"]["schemas"]})
        names = []
        for path, item in self.document["paths"].items():
            for operation in item.values():
                names.append(operation["operationId"])
                parameters = [self.resolve(p) for p in operation.get("parameters", [])]
                inside = {p["name"] for p in parameters if p["in"] == "path"}
                if inside != set(re.findall(r"{(\w+)}", path)):
                    raise Broken("%s: its parameters are %s" % (path, inside))
                queries = [p["name"] for p in parameters]
                if len(queries) != len(set(queries)):
                    raise Broken("%s: a parameter is there twice" % path)
                for answer in operation["responses"].values():
                    self.check_answer(self.resolve(answer))
        if len(names) != len(set(names)):
            raise Broken("an operationId is there twice")

    def check_answer(self, answer):
        for header in answer.get("headers", {}).values():
            self.validator(self.resolve(header)["schema"])
        for content in answer.get("content", {}).values():
            self.validator(content["schema"])

    def validator(self, schema):
        key = json.dumps(schema, sort_keys=True)
        if key not in self.validators:
            Draft202012Validator.check_schema(schema)
            self.validators[key] = Draft202012Validator(dict(schema, components=self.document["components"]))
        return self.validators[key]

    def check(self, schema, value, what):
        for error in self.validator(schema).iter_errors(value):
            at = "/".join(str(part) for part in error.absolute_path)
            raise Broken("%s: %s: %s" % (what, at, error.message[:400]))

    # ---- a question and its answer ----

    def find(self, path):
        """The described path that a path is: the one with the fewest names in braces."""
        found = []
        for template, item in self.document["paths"].items():
            pattern = re.escape(template).replace(r"\{tile\}", ".+")
            pattern = re.sub(r"\\{\w+\\}", "[^/]+", pattern)
            if re.fullmatch(pattern, path):
                found.append((template.count("{"), template, item))
        if not found:
            raise Broken("%s: not described" % path)
        return min(found, key=lambda x: x[0])[1:]

    def check_parameters(self, operation, query, what):
        known = {p["name"]: p for p in map(self.resolve, operation.get("parameters", [])) if p["in"] == "query"}
        for name, value in query:
            if name not in known:
                raise Broken("%s: the parameter %s is not described" % (what, name))
            p = known[name]
            schema = self.resolve(p["schema"])
            if schema.get("type") == "array":
                values = value.split(",") if not p.get("explode", True) else [value]
                for one in values:
                    self.check(schema["items"], one, "%s: %s" % (what, name))
            elif schema.get("type") == "integer":
                self.check(schema, int(value), "%s: %s" % (what, name))
            else:
                self.check(schema, value, "%s: %s" % (what, name))

    def check_exchange(self, url, status, headers, body, described=True):
        """The body, decoded: JSON where it is JSON, else text.  `described` False: the question
        itself is none that the description allows."""
        path, _, query = url.partition("?")
        what = "%s: %d" % (url, status)
        if not described:
            return self.check_problem(status, headers, body, what)
        template, item = self.find(urllib.parse.unquote(path))
        operation = item["get"]
        self.check_parameters(operation, urllib.parse.parse_qsl(query, keep_blank_values=True), what)
        answer = operation["responses"].get(str(status)) or operation["responses"]["default"]
        answer = self.resolve(answer)
        self.seen.add((template, status))
        for name, header in answer.get("headers", {}).items():
            self.check_header(name, self.resolve(header)["schema"], headers, answer, what)
        if status == 304:
            if body:
                raise Broken("%s: with a body" % what)
            return None
        return self.check_body(answer["content"], headers, body, what)

    def check_header(self, name, schema, headers, answer, what):
        value = headers.get(name)
        if value is None:
            if name in ("Allow", "Retry-After"):  # of some only
                return
            raise Broken("%s: without %s" % (what, name))
        self.check(schema, int(value) if schema.get("type") == "integer" or "Position" in name else value,
                   "%s: %s" % (what, name))

    def check_body(self, content, headers, body, what):
        if headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        kind = headers.get("Content-Type", "").split(";")[0]
        if kind not in content:
            raise Broken("%s: %s is not described" % (what, kind))
        if kind == "application/octet-stream":
            return body
        text = body.decode("utf-8")
        value = json.loads(text) if kind.endswith("json") else text
        self.check(content[kind]["schema"], value, what)
        return value

    def check_problem(self, status, headers, body, what):
        problem = self.check_body(self.document["components"]["responses"]["BadRequest"]["content"], headers, body, what)
        if problem["status"] != status:
            raise Broken("%s: says %d" % (what, problem["status"]))
        return problem


class Events:
    """A reader of the events, each held against its schema."""
    SCHEMAS = {"change": "ChangeEvent", "status": "StatusEvent", "hello": "HelloEvent", "reset": "ResetEvent"}

    def __init__(self, web, contract, query="", headers=None):
        self.contract = contract
        self.others = []  # changes of other records that came before the one that was waited for
        self.connection = http.client.HTTPConnection("127.0.0.1", web.port, timeout=30)
        self.connection.request("GET", API + "/events" + query, headers=headers or {})
        self.answer = self.connection.getresponse()
        if self.answer.status != 200 or self.answer.headers["Content-Type"].split(";")[0] != "text/event-stream":
            raise Broken("events: %d" % self.answer.status)

    def __enter__(self):
        return self

    def __exit__(self, kind, value, traceback):
        self.connection.close()

    def event(self):
        """The next one: its name, its data, its id or None."""
        fields = {}
        while True:
            line = self.answer.readline().decode("utf-8")
            if not line:
                raise Broken("events: the stream ended")
            line = line.rstrip("\n")
            if line:
                name, _, value = line.partition(":")
                fields[name] = value.removeprefix(" ")
            elif "data" in fields:
                break
            else:
                fields = {}
        name, data = fields.get("event", "message"), json.loads(fields["data"])
        self.contract.check({"$ref": "#/components/schemas/" + self.SCHEMAS[name]}, data, "event " + name)
        return name, data, int(fields["id"]) if "id" in fields else None

    def next(self, wanted):
        while True:
            name, data, _ = self.event()
            if name == wanted:
                return data

    def next_change(self, record):
        """The next entry that changes a record, and its id."""
        while True:
            name, data, number = self.event()
            if name == "change" and any(c["id"] == record for c in data["changes"]):
                return data, number
            if name == "change":
                self.others.append(data)
