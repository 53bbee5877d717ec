import { useRoute, withBase } from 'vitepress';
import DefaultTheme from 'vitepress/theme';
import { nextTick, onMounted, watch } from 'vue';

import './paper-and-ink.css';

const SCRIPT = 'halfopen-sim-script';

export default {
  extends: DefaultTheme,
  setup() {
    const route = useRoute();
    onMounted(loadSimulator);
    watch(
      () => route.path,
      () => nextTick(loadSimulator),
    );
  },
};

/** Loads the simulator's element on the pages that embed one; `make docs` puts it beside them. */
function loadSimulator(): void {
  if (document.querySelector('halfopen-sim') && !document.getElementById(SCRIPT)) {
    const script = document.createElement('script');
    script.id = SCRIPT;
    script.src = withBase('/simulator/halfopen-sim.js');
    document.head.append(script);
  }
}
