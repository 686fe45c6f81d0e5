// Reads and writes a setup.bin with MeshCentral's own amt-setupbin.js: node meshcentral.js MODULE read|write FILE
const Stack = require(process.argv[2]), fs = require('fs'), stack = new Stack();
const entry = (moduleid, varid, value) => ({ moduleid, varid, length: value.length || 1, value });
if (process.argv[3] === 'read') {
  const found = stack.AmtSetupBinDecode(fs.readFileSync(process.argv[4]).toString('binary'));
  console.log(JSON.stringify(found));
} else {
  const made = stack.AmtSetupBinCreate(3, 1);
  made.records.push({
    typeIdentifier: 1, flags: 1, variables: [
      entry(1, 1, 'admin'), entry(1, 2, 'Aa1!aaaa'), entry(2, 25, 1), entry(1, 3, 1)],
  });
  fs.writeFileSync(process.argv[4], Buffer.from(stack.AmtSetupBinEncode(made), 'binary'));
}
