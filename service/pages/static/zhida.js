/* Small helpers. Every page works without them. */
(function () {
  "use strict";
  var doc = document;

  /* An error summary takes the focus, on load and after a swap. */
  function focusProblem(root) {
    var box = root.querySelector("[data-focus]");
    if (box) box.focus();
  }
  focusProblem(doc);

  /* After a swap: errors take the focus; a result count is spoken by the lasting live region. */
  ["htmx:after:swap", "htmx:afterSwap"].forEach(function (name) {
    doc.addEventListener(name, function (event) {
      if (event.target.querySelector) focusProblem(event.target);
      var count = doc.querySelector("[data-said]"), said = doc.getElementById("said");
      if (count && said && said.textContent !== count.textContent) said.textContent = count.textContent;
    });
  });

  /* A form is sent once; the server's idempotency key is the real guard. */
  doc.addEventListener("submit", function (event) {
    var form = event.target;
    if (form.method !== "post") return;
    if (form.dataset.sent) { event.preventDefault(); return; }
    form.dataset.sent = "1";
    if (event.submitter) event.submitter.setAttribute("aria-disabled", "true");
  });
  window.addEventListener("pageshow", function () {
    doc.querySelectorAll("form[data-sent]").forEach(function (form) {
      delete form.dataset.sent;
      form.querySelectorAll("[aria-disabled]").forEach(function (b) { b.removeAttribute("aria-disabled"); });
    });
  });

  /* Characters typed so far; blanks and hyphens of a pasted number do not count. */
  doc.querySelectorAll("[data-count]").forEach(function (input) {
    var out = doc.querySelector('[data-count-of="' + input.id + '"]');
    input.addEventListener("input", function () { out.textContent = input.value.replace(/[\s-]/g, "").length + "／" + input.dataset.count; });
  });

  /* Files: too large is said before anything is sent; a sheet may be dropped on its field; bytes sent are shown. */
  doc.querySelectorAll("input[type=file][data-max]").forEach(function (input) {
    input.addEventListener("change", function () {
      var file = input.files[0], files = [].slice.call(input.files), max = +input.dataset.max;
      var all = files.reduce(function (sum, each) { return sum + each.size; }, 0);
      var big = all > 4 * max || files.some(function (each) { return each.size > max; });
      input.setCustomValidity(big ? "文件太大，最多 " + Math.round(max / 1048576) + " MB。请拆成几份。" : "");
      input.reportValidity();
      var say = input.form.querySelector("[role=status]");
      if (file && say) say.textContent = "已选：" + file.name;
    });
  });
  doc.querySelectorAll(".drop").forEach(function (zone) {
    zone.addEventListener("dragover", function (event) { event.preventDefault(); });
    zone.addEventListener("drop", function (event) {
      event.preventDefault();
      var input = zone.querySelector("input[type=file]");
      input.files = event.dataTransfer.files;
      input.dispatchEvent(new Event("change", { bubbles: true }));
    });
  });
  /* What could not be sent stays as it was typed, to be sent again: the server counts it once. */
  doc.querySelectorAll("form[data-upload]").forEach(function (form) {
    var bar = form.querySelector("progress"), say = form.querySelector("[role=status]");
    form.addEventListener("submit", function (event) {
      if (form.dataset.sent || !("submitter" in event)) return;
      var large = [].filter.call(form.querySelectorAll("input[type=file]"), function (each) { return each.validity.customError; })[0];
      if (large) { event.preventDefault(); event.stopPropagation(); large.reportValidity(); return; }
      event.preventDefault();
      var send = new XMLHttpRequest(), pressed = event.submitter, data = new FormData(form);
      if (pressed && pressed.name) data.append(pressed.name, pressed.value);
      function stay(why) {
        delete form.dataset.sent;
        if (pressed) pressed.removeAttribute("aria-disabled");
        bar.hidden = true; say.textContent = why || form.dataset.upload || "网络断了，没有传完。请再传一次，同一个文件不会重复。";
      }
      send.open("POST", form.action);
      send.timeout = 300000;
      send.setRequestHeader("Accept", "text/html");
      send.upload.onprogress = function (e) {
        if (!e.lengthComputable) return;
        bar.hidden = false; bar.max = e.total; bar.value = e.loaded;
        say.textContent = e.loaded < e.total ? "已上传 " + Math.floor(e.loaded / e.total * 100) + "%" : "传完了，正在核对";
      };
      send.onload = function () {
        if (send.status === 429 || send.status >= 500) return stay(form.dataset.upload || "系统忙，没有收下。过一会儿再传一次，同一个文件不会重复。");
        if (send.status === 413) return stay("一次传的太大了。少选一些，再传一次。");
        if (send.status < 400) { window.location.assign(send.responseURL); return; }
        doc.open(); doc.write(send.responseText); doc.close(); /* a refusal is the page itself, with what was wrong */
      };
      send.onerror = send.ontimeout = function () { stay(); };
      send.send(data);
    });
  });

  /* Desk keys: one letter, only when no field has the focus and the person has not switched them off. */
  doc.addEventListener("keydown", function (event) {
    if (doc.body.dataset.keys === "off" || event.ctrlKey || event.metaKey || event.altKey || /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName)) return;
    var target = doc.querySelector('[data-key="' + CSS.escape(event.key.toLowerCase()) + '"]');
    if (target) { event.preventDefault(); target.tagName === "BUTTON" ? target.focus() : target.click(); }
  });

  doc.querySelectorAll("[data-print]").forEach(function (link) {
    link.addEventListener("click", function (event) { event.preventDefault(); window.print(); });
  });
  /* What is folded on screen is open on paper. */
  window.addEventListener("beforeprint", function () { doc.querySelectorAll("details.more").forEach(function (d) { d.open = true; }); });

  /* The closer look: the library is fetched only when somebody asks for it; what was drawn before stays for print. */
  doc.querySelectorAll("[data-live]").forEach(function (button) {
    var named = button.textContent;
    button.hidden = false;
    function again() { button.disabled = false; button.textContent = "没有取到，再试一次"; }
    button.addEventListener("click", function () {
      button.disabled = true; button.textContent = "正在取";
      library(button.dataset.library).then(function () {
        draw(button.closest("figure").querySelector("[data-chart]"), JSON.parse(button.dataset.live));
        button.textContent = named; button.hidden = true;
      }).catch(again);
    });
  });
  function library(address) {
    if (window.echarts) return Promise.resolve();
    return new Promise(function (resolve, reject) {
      var script = doc.createElement("script");
      script.src = address;
      script.onload = resolve; script.onerror = reject;
      doc.head.appendChild(script);
    });
  }
  function draw(still, data) {
    var css = getComputedStyle(doc.documentElement), box = doc.createElement("div");
    function color(name) { return css.getPropertyValue(name).trim(); }
    box.className = "no-print"; box.style.height = "22rem"; box.tabIndex = -1;
    still.after(box);
    still.classList.add("print-only");
    var chart = window.echarts.init(box, null, { renderer: "svg", locale: "ZH" });
    var goal = { silent: true, symbol: "none", lineStyle: { color: color("--goal") }, data: [{ yAxis: data.goal, label: { formatter: "目标 " + data.goal + "%", color: color("--goal"), position: "insideEndTop" } }] };
    chart.setOption({
      animation: false, aria: { enabled: true, label: { description: data.title } }, color: [color("--c1"), color("--c2"), color("--c3")],
      textStyle: { fontFamily: css.fontFamily, color: color("--ink-2") },
      tooltip: { trigger: "axis", renderMode: "richText", valueFormatter: function (v) { return v === null ? "—" : v + "%"; } },
      legend: { top: 0, left: 0, icon: "rect", itemWidth: 12, itemHeight: 12 }, grid: { left: 44, right: 16, top: 36, bottom: 56 },
      xAxis: { type: "category", data: data.months }, yAxis: { type: "value", min: 0, max: 100, axisLabel: { formatter: "{value}%" } },
      dataZoom: [{ type: "slider", height: 18, bottom: 8 }, { type: "inside", zoomOnMouseWheel: "ctrl" }],
      series: data.series.map(function (line, at) {
        return { name: line.name, type: "line", data: line.data, symbol: data.months.length > 1 ? "none" : "circle", lineStyle: { width: at ? 1.5 : 2.5 }, markLine: at || data.goal === null ? undefined : goal };
      })
    });
    window.addEventListener("resize", function () { chart.resize(); });
    box.focus();
  }
})();
