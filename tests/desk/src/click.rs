//! The check for clickable elements: the element exists, is displayed and enabled, doesn't move, and a click at its
//! centre would hit it. The check is polled, so that a busy machine makes a test slower and not wrong.

/// Returns a script that checks once the element of the expression `found`. The script returns the element if it can be
/// clicked now, and otherwise the reason why not.
///
/// "Doesn't move" compares with the previous check, which the page stores, so the first check never succeeds. Frames
/// aren't waited for, since a minimised window draws none. The conditions are those of `WebDriver` for a click (W3C
/// `WebDriver`, 12.4.1), which answers "element not interactable" or "element click intercepted" instead of waiting. An
/// option is checked as its list.
pub(crate) fn look(found: &str) -> String {
    format!(
        "const found = ({found}) ?? null;
         const before = window.deskLook;
         window.deskLook = null;
         if (!(found instanceof Element) || !found.isConnected) return 'it is not there';
         const shown = found.closest('select') ?? found;
         if (found.matches(':disabled') || shown.matches(':disabled, [aria-disabled=true]')) return 'it is disabled';
         if (shown.closest('[inert]')) return 'it is inert';
         const look = () => {{
             const box = [...shown.getClientRects()].find(box => box.width > 0 && box.height > 0);
             if (!box || getComputedStyle(shown).visibility !== 'visible') return {{ why: 'it is not displayed' }};
             const [left, right] = [Math.max(0, box.left), Math.min(innerWidth, box.right)];
             const [top, bottom] = [Math.max(0, box.top), Math.min(innerHeight, box.bottom)];
             const place = [box.left, box.top, box.width, box.height].join(' ');
             if (left >= right || top >= bottom) return {{ place, why: 'it is outside of the window' }};
             const hit = document.elementFromPoint((left + right) / 2, (top + bottom) / 2);
             if (hit && shown.contains(hit)) return {{ place }};
             return {{ place, why: `a click would hit ${{hit ? hit.outerHTML.slice(0, 200) : 'nothing'}}` }};
         }};
         let now = look();
         if (now.place && now.why) {{
             shown.scrollIntoView({{ block: 'center', inline: 'nearest', behavior: 'instant' }});
             now = look();
         }}
         window.deskLook = {{ found, place: now.place }};
         if (now.why) return now.why;
         return before?.found === found && before.place === now.place ? found : 'it moves';"
    )
}
