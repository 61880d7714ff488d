// Draws the reference from the OpenAPI document that stands in this page. Text only ever becomes text, never markup.
"use strict";

const api = JSON.parse(document.getElementById("document").textContent);
const LARGEST_SHOWN = 1e9;

function element(name, attributes = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.append(...children.filter((child) => child !== null));
  return node;
}

// `code` in texts, links to nowhere else.
function prose(text) {
  return (text ?? "").split("`").map((part, place) => (place % 2 ? element("code", {}, part) : part));
}

function resolve(schema) {
  if (!schema?.$ref) return { name: null, schema: schema ?? {} };
  const name = schema.$ref.split("/").pop();
  return { name, schema: api.components.schemas[name] };
}

function choices(schema) {
  return (schema.anyOf ?? [schema]).flatMap((choice) => (choice.anyOf ? choice.anyOf : [choice]));
}

function typeOf(schema) {
  const names = choices(schema).filter((choice) => choice.type !== "null").map((choice) => {
    const { name, schema: found } = resolve(choice);
    if (found.enum) return found.enum.map((word) => JSON.stringify(word)).join(" | ");
    if (name) return name;
    if (choice.format === "binary") return "file";
    if (choice.type === "array") return `list of ${typeOf(choice.items ?? {})}`;
    if (choice.contentMediaType === "application/json") return "JSON text";
    return choice.type ?? "anything";
  });
  return [...new Set(names)].join(" or ");
}

function limitsOf(schema) {
  const limits = [];
  for (const choice of choices(schema)) {
    if (choice.minimum !== undefined && choice.maximum < LARGEST_SHOWN) limits.push(`${choice.minimum} to ${choice.maximum}`);
    else if (choice.minimum !== undefined) limits.push(`from ${choice.minimum}`);
    if (choice.maxLength !== undefined) limits.push(`at most ${choice.maxLength} characters`);
    if (choice.default !== undefined) limits.push(`default ${JSON.stringify(choice.default)}`);
  }
  return limits.join(", ");
}

function nested(schema, seen) {
  for (const choice of choices(schema)) {
    const inner = choice.type === "array" ? choices(choice.items ?? {}) : [choice];
    for (const candidate of inner) {
      const { name, schema: found } = resolve(candidate);
      if (name && found.properties && !seen.includes(name)) {
        return element("details", {}, element("summary", {}, name), fields(found, [...seen, name]));
      }
    }
  }
  return null;
}

function field(name, schema, required, description, seen) {
  const limits = limitsOf(schema);
  const examples = schema.examples?.length ? `For example ${schema.examples.slice(0, 6).map((one) => `\`${typeof one === "string" ? one : JSON.stringify(one)}\``).join(", ")}.` : "";
  return element("div", { class: "field" },
    element("dt", {},
      element("code", {}, name),
      element("span", { class: "type" }, limits ? `${typeOf(schema)} · ${limits}` : typeOf(schema)),
      required ? element("span", { class: "required" }, "required") : null),
    element("dd", {}, ...prose([description, examples].filter(Boolean).join(" ")), nested(schema, seen)));
}

function fields(schema, seen) {
  const required = schema.required ?? [];
  return element("dl", {}, ...Object.entries(schema.properties ?? {}).map(
    ([name, inner]) => field(name, inner, required.includes(name), inner.description, seen)));
}

function heading(text) {
  return element("h3", {}, text);
}

function parameters(operation) {
  const parts = [];
  for (const [place, title] of [["path", "In the path"], ["query", "In the query"], ["header", "Headers"]]) {
    const found = (operation.parameters ?? []).filter((parameter) => parameter.in === place);
    if (found.length) {
      parts.push(heading(title), element("dl", {}, ...found.map(
        (parameter) => field(parameter.name, parameter.schema, parameter.required, parameter.description, []))));
    }
  }
  return parts;
}

function body(operation) {
  const content = operation.requestBody?.content;
  if (!content) return [];
  const { name, schema } = resolve(content["application/json"].schema);
  const form = content["multipart/form-data"].schema.properties;
  const merged = { ...schema, properties: Object.fromEntries(Object.entries(schema.properties).map(([key, inner]) => {
    const isFile = JSON.stringify(form[key]).includes("binary");
    return [key, isFile ? { ...inner, anyOf: [{ format: "binary" }, ...choices(inner)] } : inner];
  })) };
  return [heading("Body"), element("p", { class: "soft" }, Object.keys(content).join(", ")), fields(merged, [name])];
}

function answers(operation) {
  const row = ([status, given]) => {
    const answer = given.$ref ? api.components.responses[given.$ref.split("/").pop()] : given;
    const kinds = Object.entries(answer.content ?? {});
    const json = answer.content?.["application/json"]?.schema;
    const isError = json?.$ref?.endsWith("ErrorEnvelope");
    const shape = json && !isError ? nested(json, []) : null;
    const types = !json && kinds.length ? ` (${kinds.map(([kind]) => kind).join(", ")})` : "";
    return element("div", { class: "status" }, element("code", {}, status),
      element("div", {}, ...prose(answer.description + types), shape));
  };
  const all = Object.entries(operation.responses);
  const errors = all.filter(([status]) => status >= "400");
  const list = errors.length ? element("details", {}, element("summary", {}, `Errors: ${errors.map(([status]) => status).join(", ")}`),
    ...errors.map(row)) : null;
  return [heading("Answers"), ...all.filter(([status]) => status < "400").map(row), list].filter(Boolean);
}

function examples(operation) {
  const samples = operation["x-codeSamples"] ?? [];
  if (!samples.length) return null;
  const code = element("code");
  const tabs = element("div", { class: "tabs", role: "tablist" });
  const copy = element("button", { class: "copy", type: "button" }, "Copy");
  const show = (chosen) => {
    code.textContent = samples[chosen].source.replaceAll("$URL", location.origin === "null" ? "http://localhost:8080" : location.origin);
    [...tabs.querySelectorAll("[role=tab]")].forEach((tab, place) => tab.setAttribute("aria-selected", String(place === chosen)));
  };
  samples.forEach((sample, place) => {
    const tab = element("button", { type: "button", role: "tab", "aria-selected": "false" }, sample.label);
    tab.addEventListener("click", () => show(place));
    tabs.append(tab);
  });
  copy.addEventListener("click", async () => {
    await navigator.clipboard?.writeText(code.textContent);
    copy.textContent = "Copied";
    setTimeout(() => { copy.textContent = "Copy"; }, 1200);
  });
  tabs.append(copy);
  show(0);
  return element("div", { class: "examples" }, tabs, element("pre", { tabindex: "0" }, code));
}

function operations() {
  return Object.entries(api.paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => ({ path, method, ...operation })));
}

function sidebar(all) {
  const search = element("input", { type: "search", placeholder: "Filter", "aria-label": "Filter operations" });
  const groups = api.tags.map((tag) => {
    const links = all.filter((one) => one.tags.includes(tag.name)).map((one) => {
      const link = element("a", { href: `#${one.operationId}` },
        element("span", { class: `method ${one.method}` }, one.method.toUpperCase()), one.summary);
      link.dataset.words = `${one.summary} ${one.path}`.toLowerCase();
      return element("li", {}, link);
    });
    return element("div", {}, heading(tag.name), element("ul", {}, ...links));
  });
  search.addEventListener("input", () => {
    const wanted = search.value.trim().toLowerCase();
    for (const group of groups) {
      let any = false;
      for (const item of group.querySelectorAll("li")) {
        item.hidden = !item.firstChild.dataset.words.includes(wanted);
        any ||= !item.hidden;
      }
      group.hidden = !any;
    }
  });
  return element("nav", { "aria-label": "Operations" }, element("a", { class: "home", href: "/" }, api.info.title),
    element("span", { class: "soft" }, ` ${api.info.version}`), search, ...groups);
}

function section(one) {
  const text = element("div", {},
    element("h2", {}, one.summary),
    element("p", {}, element("span", { class: `method ${one.method}` }, one.method.toUpperCase()), " ", element("span", { class: "path" }, one.path)),
    element("p", {}, ...prose(one.description)),
    one.security.length ? null : element("p", { class: "soft" }, "No key needed."),
    ...parameters(one), ...body(one), ...answers(one));
  return element("section", { id: one.operationId }, element("div", { class: "columns" }, text, examples(one)));
}

function introduction() {
  const parts = api.info.description.split("\n\n").map((paragraph) => element("p", {}, ...prose(paragraph)));
  return element("header", {}, element("h1", {}, `${api.info.title} API`), ...parts,
    element("p", {}, ...prose("Send your key as `Authorization: Bearer sk-…`. Every answer carries `x-request-id`; every error has the shape "),
      element("code", {}, '{"error": {"message", "type", "param", "code"}}'), ". ",
      element("a", { href: "/openapi.json" }, "openapi.json"), " says the same for programs."));
}

const all = operations();
const page = element("main", {}, introduction(),
  ...api.tags.flatMap((tag) => all.filter((one) => one.tags.includes(tag.name)).map(section)));
document.body.replaceChildren(element("div", { class: "frame" }, sidebar(all), page));
if (location.hash) document.getElementById(location.hash.slice(1))?.scrollIntoView();
