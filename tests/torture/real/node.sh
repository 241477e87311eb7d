# needs: node
cat >w.js <<'X'
const {Worker, isMainThread, parentPort, workerData} = require('worker_threads');
const zlib = require('zlib'), {execFileSync} = require('child_process');
if (!isMainThread) {
  const m = new Map(); for (let i = 0; i < 60000; i++) m.set('k' + i, {i, s: 'x'.repeat(i % 40)});
  parentPort.postMessage([workerData, m.size, zlib.gzipSync(JSON.stringify([...m])).length]);
} else {
  Promise.all([1, 2, 3, 4].map(n => new Promise(done => new Worker(__filename, {workerData: n}).on('message', done))))
    .then(all => { console.log(all.sort()); console.log(String(execFileSync('/bin/echo', ['child'])));
      try { execFileSync('/bin/sh', ['-c', 'exit 3'], {stdio: 'ignore'}); } catch (e) { console.log(e.status); }
      process.exitCode = 5; });
}
X
node w.js
