// Starts the face. A file of its own: the page's policy allows no scripts within the page.
import start from './crewbell-ui.js';

start({ module_or_path: './crewbell-ui_bg.wasm' });
