export default {
  title: "Przegląd",
};
