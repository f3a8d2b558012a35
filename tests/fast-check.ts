// fast-check with one seed for everybody, so that a test run can be repeated. To explore others set another seed here for a while: a failure
// names the seed and the path to its counterexample either way.

import fc from "fast-check";

fc.configureGlobal({ seed: 20261123 });

export { fc };
