import { useRoute, withBase } from 'vitepress';
import DefaultTheme from 'vitepress/theme';
import { nextTick, onMounted, watch } from 'vue';

import './paper-and-ink.css';

const SCRIPT = 'halfopen-sim-script';

export default {
  extends: DefaultTheme,
  setup() {
    const route = useRoute();
    onMounted(complete);
    watch(
      () => route.path,
      () => nextTick(complete),
    );
  },
};

/** Adds to a page what the theme does not have. */
function complete(): void {
  loadSimulator();
  // The first page and the one for dead links have no landmark of their own.
  const content = document.getElementById('VPContent');
  if (content?.querySelector('main')) {
    content.removeAttribute('role');
  } else {
    content?.setAttribute('role', 'main');
  }
}

/** Loads the simulator's element on the pages that embed one; `make docs` puts it beside them. */
function loadSimulator(): void {
  if (document.querySelector('halfopen-sim') && !document.getElementById(SCRIPT)) {
    const script = document.createElement('script');
    script.id = SCRIPT;
    script.src = withBase('/simulator/halfopen-sim.js');
    document.head.append(script);
  }
}
