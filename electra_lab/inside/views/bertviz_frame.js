// The live form of a bertviz view: its page, in a frame that can run its own script and reach
// nothing around it.
export default {
  render({ model, el }) {
    const frame = document.createElement("iframe");
    frame.setAttribute("sandbox", "allow-scripts");
    const draw = () => {
      const { page, height, title } = model.get("state");
      frame.title = title;
      frame.style.cssText = `width:100%;height:${height}px;border:0`;
      frame.srcdoc = page;
    };
    model.on("change:state", draw);
    draw();
    el.replaceChildren(frame);
    return () => model.off("change:state", draw);
  },
};
