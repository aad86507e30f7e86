"""Run with `streamlit run app.py`."""

from gradviz.app import main

main()
