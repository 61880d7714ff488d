// Just enough of a browser's document to run the script of the reference page; prints the text it drew.
import { readFileSync } from "node:fs";
import vm from "node:vm";

const page = readFileSync(process.argv[2], "utf8");
const data = page.match(/<script type="application\/json" id="document">([\s\S]*?)<\/script>/)[1];
const script = page.match(/<script>([\s\S]*?)<\/script>/)[1];

class Node {
  constructor(name) { Object.assign(this, { name, attributes: {}, children: [], dataset: {}, text: null }); }
  setAttribute(key, value) { this.attributes[key] = value; }
  addEventListener() {}
  append(...children) { this.children.push(...children); }
  replaceChildren(...children) { this.children = children; }
  set textContent(text) { this.children = [text]; }
  get textContent() { return this.children.map((child) => (typeof child === "string" ? child : child.textContent)).join(" "); }
  get firstChild() { return this.children[0]; }
  querySelectorAll(wanted) {
    const inner = this.children.filter((child) => child instanceof Node);
    const role = wanted.match(/\[role=(\w+)\]/)?.[1];
    const fits = (node) => (role ? node.attributes.role === role : node.name === wanted);
    return inner.flatMap((node) => [...(fits(node) ? [node] : []), ...node.querySelectorAll(wanted)]);
  }
}

const holder = new Node("script");
holder.textContent = data;
const body = new Node("body");
const document = { body, createElement: (name) => new Node(name), getElementById: (id) => (id === "document" ? holder : null) };
vm.runInNewContext(script, { document, location: { origin: "http://test", hash: "" }, navigator: {}, setTimeout });
console.log(body.textContent);
