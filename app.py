"""Run with `streamlit run app.py`."""

if __name__ == "__main__":  # what Streamlit runs for every visitor, at every change
    from gradviz.app import main

    main()
else:  # what the server is started from: Streamlit's app, with a way for pictures of a training
    from streamlit.starlette import App

    from gradviz.app.stream import ROUTE

    app = App(__file__, routes=[ROUTE])
