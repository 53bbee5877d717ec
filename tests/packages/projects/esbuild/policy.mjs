// Built from `page.mjs`.
import('./policy-page.js').catch((error) => {
  document.title = `${error.name}: ${error.message}`;
});
