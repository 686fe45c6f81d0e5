// MeshCentral's own MPS with as much of the server around it as it asks for, which says what that server would write down:
// node mps.js FOLDER-OF-MESHCENTRAL PORT KEY CERTIFICATE KEYLOG SETTINGS
const [folder, port, key, cert, keylog, settings] = process.argv.slice(2), fs = require('fs');
// plan: what is said in channels to a machine that came, [port, request, size of the answer]
const { password, meshes, nodes, plan } = JSON.parse(settings);
const say = (...words) => console.log(...words);
const read = name => fs.readFileSync(name).toString();
const found = {};
for (const node of nodes) found[node._id] = node;

function talk([target, request, size]) {
  const channel = parent.mpsserver.SetupChannelToNode(parent.node, target);
  if (channel == null) return say('NO ROUTE', target);
  let heard = 0;
  channel.onStateChange = (_, state) => { say('CHANNEL', target, state); if (state === 0 && plan.length) talk(plan.shift()); };
  channel.onData = (_, data) => { heard += data.length; if (heard >= size) channel.close(); };
  channel.write(request);
}

const parent = {
  config: { domains: { '': {} } },
  webserver: { meshes, trafficStats: { CIRAIn: 0, CIRAOut: 0, LMSIn: 0, LMSOut: 0 }, CloneSafeNode: node => node },
  debug: (source, ...words) => say(source.toUpperCase() + ':', ...words), // as meshcentral.js does with --debug
  authLog: () => {},
  updateServerState: () => {},
  decodeCookie: () => null,
  DispatchEvent: (_to, _from, event) => say('EVENT', event.action, event.node._id),
  SetConnectivityState: (mesh, node, _time, kind) => {
    say('CONNECTED', mesh, node, kind);
    parent.node = node;
    if (plan.length) talk(plan.shift());
  },
  ClearConnectivityState: (mesh, node, kind) => say('GONE', mesh, node, kind),
};
const db = {
  Get: (id, then) => then(null, found[id] ? [found[id]] : []),
  Set: node => { found[node._id] = node; },
  getAmtUuidMeshNode: (_domain, _type, uuid, then) => then(null, Object.values(found).filter(node => node.intelamt.uuid === uuid)),
};
const args = { mpsport: Number(port), mpsportbind: '127.0.0.1', mpspass: password, exactports: true };
const certificates = { AmtMpsName: 'mps.example.com', mps: { key: read(key), cert: read(cert) } };
parent.mpsserver = require(folder + '/mpsserver.js').CreateMpsServer(parent, db, args, certificates);
// node's own --tls-keylog writes on the side, and what it has not written is lost at the exit
parent.mpsserver.server.on('keylog', line => fs.appendFileSync(keylog, line));
process.stdin.on('end', () => { say('STATS', JSON.stringify(parent.mpsserver.getStats())); process.exit(); }).resume();
