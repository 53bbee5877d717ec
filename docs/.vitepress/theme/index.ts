import DefaultTheme from 'vitepress/theme';
import './paper-and-ink.css';

export default DefaultTheme;
